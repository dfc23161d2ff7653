// Models written by write_onnx, and models built field by field.
#include "host/files/onnx_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <filesystem>
#include <fstream>

#include "host/base/error.hpp"
#include "host/files/onnx.hpp"
#include "host/files/protobuf_writer.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::ThrowsMessage;

using Message = ProtobufMessage;

const std::vector<float> kWeights{1, 2, 3, 4, 5, 6, 7, 8};
const std::vector<float> kBiases{0.5F, -0.5F};

class OnnxFileTest : public testing::Test {
 protected:
  std::string add(const std::string& text) const {
    return folder_.add("model.onnx", Bytes(text.begin(), text.end()));
  }
  [[nodiscard]] Bytes small_model() const {
    const auto path = (folder_.path() / "small.onnx").string();
    write_onnx(path, {.sample_shape = {2, 2},
                      .output_shape = {2},
                      .operators = {{"Flatten", {}, {{"axis", 1}}},
                                    {"Gemm", {"0.weight", "0.bias"}, {{"transB", 1}}},
                                    {"Relu"},
                                    {"LogSoftmax", {}, {{"axis", 1}}}},
                      .tensors = {{"0.weight", {2, 4}, kWeights}, {"0.bias", {2}, kBiases}},
                      .metadata = {{"seed", "7"}},
                      .producer_version = "1.2.3"});
    return read_file(path);
  }

  TemporaryFolder folder_;
};

Message operator_set() { return Message().integer(2, 17); }

// A model with this graph.
std::string model_of(const Message& graph) {
  return Message().integer(1, 8).message(8, operator_set()).message(7, graph).text();
}
std::string model_of_tensor(const Message& tensor) { return model_of(Message().message(5, tensor)); }
std::string four_bytes(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift);
  return bytes;
}

TEST_F(OnnxFileTest, ReadsWhatWriteOnnxWrites) {
  const OnnxFile file(folder_.add("model.onnx", small_model()));
  const auto& model = file.model();
  EXPECT_EQ(model.ir_version, 8);
  EXPECT_EQ(model.producer, "warpfit");
  EXPECT_EQ(model.producer_version, "1.2.3");
  EXPECT_THAT(model.operator_sets, ElementsAre(Pair("", 17)));
  EXPECT_THAT(model.metadata, ElementsAre(Pair("seed", "7")));
  EXPECT_EQ(model.graph, "warpfit");
  EXPECT_THAT(model.operators, ElementsAre("Flatten", "Gemm", "Relu", "LogSoftmax"));
  ASSERT_EQ(model.inputs.size(), 1U);
  EXPECT_EQ(model.inputs[0].name, "input");
  EXPECT_EQ(model.inputs[0].type, "FLOAT");
  EXPECT_THAT(model.inputs[0].shape, ElementsAre("batch", "2", "2"));
  ASSERT_EQ(model.outputs.size(), 1U);
  EXPECT_EQ(model.outputs[0].name, "output");
  EXPECT_THAT(model.outputs[0].shape, ElementsAre("batch", "2"));
  ASSERT_EQ(model.initializers.size(), 2U);
  EXPECT_EQ(model.initializers[0].name, "0.weight");
  EXPECT_EQ(model.initializers[0].type, "FLOAT");
  EXPECT_EQ(model.initializers[0].dtype, DType::kF32);
  EXPECT_THAT(model.initializers[0].shape, ElementsAre(2, 4));
  std::vector<float> values(8);
  ASSERT_TRUE(model.initializers[0].data);
  ASSERT_EQ(model.initializers[0].data->size, 32U);
  file.read(model.initializers[0].data->byte, std::as_writable_bytes(std::span(values)));
  EXPECT_EQ(values, kWeights);
}

TEST_F(OnnxFileTest, ReadsTheSpellingsOfOtherWriters) {
  const auto packed_floats = Message()
                                 .bytes(1, std::string("\x02\x01", 2))  // both dimensions in one field
                                 .integer(2, 1)
                                 .bytes(8, "packed")
                                 .bytes(4, four_bytes(1) + four_bytes(2));
  const auto varints = Message().integer(1, 2).integer(2, 7).bytes(8, "varints").bytes(7, "\x05\x06");
  const auto external = Message().integer(1, 9).integer(2, 1).bytes(8, "external").bytes(13, "");
  const auto unknown_type = Message().integer(1, 9).integer(2, 8).bytes(8, "texts").bytes(6, "a");
  const auto scalar = Message().integer(2, 11).bytes(10, std::string(8, '\0'));
  const auto sequence = Message().bytes(1, "list").message(2, Message().message(4, Message()));
  const auto shape = Message().message(1, Message().integer(1, 3)).message(1, Message());
  const auto value =
      Message().bytes(1, "x").message(2, Message().message(1, Message().integer(1, 16).message(2, shape)));
  const auto skipped = Message().integer(99, 5).bytes(98, "anything").text() +
                       std::string("\x85\x06....", 6) + std::string("\x81\x06........", 10);
  Message graph;
  graph.message(5, packed_floats).message(5, varints).message(5, external).message(5, unknown_type);
  graph.message(5, scalar).message(11, sequence).message(12, value);
  const OnnxFile file(
      add(skipped + model_of(graph) + Message().message(8, Message(operator_set()).bytes(1, "ai.x")).text()));

  const auto& model = file.model();
  EXPECT_THAT(model.operator_sets, ElementsAre(Pair("", 17), Pair("ai.x", 17)));
  ASSERT_EQ(model.initializers.size(), 5U);
  EXPECT_THAT(model.initializers[0].shape, ElementsAre(2, 1));
  EXPECT_EQ(model.initializers[0].data->size, 8U);
  for (int i = 1; i < 4; ++i) EXPECT_FALSE(model.initializers[i].data) << i;
  EXPECT_EQ(model.initializers[1].type, "INT64");
  EXPECT_EQ(model.initializers[3].type, "STRING");
  EXPECT_FALSE(model.initializers[3].dtype);
  EXPECT_EQ(model.initializers[4].type, "DOUBLE");
  EXPECT_EQ(model.initializers[4].data->size, 8U);
  EXPECT_EQ(model.inputs[0].type, "");
  EXPECT_EQ(model.outputs[0].type, "BFLOAT16");
  EXPECT_THAT(model.outputs[0].shape, ElementsAre("3", "?"));
}

TEST_F(OnnxFileTest, CutsLongTexts) {
  const auto graph = Message().bytes(2, std::string(5000, 'a'));
  EXPECT_EQ(OnnxFile(add(model_of(graph))).model().graph, std::string(4096, 'a') + "... (5000 bytes)");
}

TEST_F(OnnxFileTest, RefusesWhatIsNoModel) {
  const std::string huge = "\xff\xff\xff\xff\xff\xff\xff\xff\x7f";
  const auto tensor = Message().integer(1, 2).integer(2, 1).bytes(8, "w");
  const auto value = [](const Message& type) {
    return model_of(Message().message(11, Message().bytes(1, "x").message(2, type)));
  };
  const std::pair<std::string, std::string> cases[] = {
      {"", "expected the IR version (field 1) in the message that begins at byte 0"},
      {Message().integer(1, 8).message(7, {}).text(), "expected an operator set (field 8)"},
      {Message().integer(1, 8).message(8, operator_set()).text(), "expected a graph (field 7)"},
      {Message().integer(1, 0).text(), "expected the IR version"},
      {Message().integer(1, -1).text(), "expected the IR version"},
      {Message().bytes(1, "8").text(), "field 1 is not an integer at byte 0"},
      {Message().integer(7, 1).text(), "field 7 is not length-delimited at byte 0"},
      {model_of({}) + Message().message(7, {}).text(), "a duplicate graph at byte 8"},
      {Message().message(8, Message()).text(), "expected a version above 0 (field 2)"},
      {Message().message(14, Message().bytes(2, "v")).text(), "expected a key (field 1)"},
      {model_of(Message().message(1, {})),
       "expected an operator (field 4) in the message that begins at byte 8"},
      {model_of(Message().message(11, {})), "expected a name (field 1)"},
      {value(Message().message(1, Message().integer(1, 0))), "element type 0, expected 1 to 23, at byte"},
      {value(Message().message(1, Message().integer(1, 24))), "element type 24"},
      {model_of_tensor({}), "expected an element type (field 2)"},
      {model_of_tensor(Message().integer(2, -1)), "element type -1"},
      {model_of_tensor(tensor), "0 bytes of data for 'w', expected 8 for 2 elements of FLOAT, at byte 8"},
      {model_of_tensor(Message(tensor).bytes(9, "1234")), "4 bytes of data for 'w', expected 8"},
      {model_of_tensor(Message().integer(1, 1).integer(2, 1).bytes(8, std::string("a\0\n\xc3", 4))),
       "0 bytes of data for 'a\\x00\\x0a\\xc3', expected 4"},
      {model_of_tensor(Message(tensor).bytes(4, "123456789")), "9 bytes of data"},
      {model_of_tensor(Message().integer(1, -2).integer(2, 1)), "dimension -2, expected 0 or more,"},
      {model_of_tensor(Message().bytes(1, huge).integer(2, 1)), "a shape with more elements"},
      {model_of_tensor(Message().integer(1, 1LL << 32).integer(1, 1LL << 32).integer(2, 1)),
       "a shape with more elements than any file can hold"},
      {std::string("\x08", 1), "a number continues past the end of its message, byte 1, at byte 1"},
      {"\x08\x80\x80", "a number continues past the end of its message, byte 3, at byte 1"},
      {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "a number of more than 64 bits at byte 1"},
      {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "a number of more than 64 bits at byte 1"},
      {std::string("\0\x01", 2), "field number 0, expected 1 to 536870911, at byte 0"},
      {"\x80\x80\x80\x80\x10\x01", "field number 536870912"},
      {"\x0b\x0c", "field 1 has wire type 3, expected 0, 1, 2 or 5, at byte 0"},
      {"\x0f\x01", "field 1 has wire type 7"},
      {"\x12\x03"
       "ab",
       "field 2 of 3 bytes, expected at most the 2 that remain in its message, at byte 0"},
      {"\x12" + huge, "field 2 of 9223372036854775807 bytes, expected at most the 0"},
      {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "field 2 of 18446744073709551615 bytes"},
      {"\x0d"
       "123",
       "field 1 of 4 bytes, expected at most the 3"},
      {"\x09"
       "1234567",
       "field 1 of 8 bytes, expected at most the 7"},
      {"\x3a\x02\x0a\x05"
       "12345",
       "field 1 of 5 bytes, expected at most the 0"},  // beyond the message, but not beyond the file
  };
  for (const auto& [text, message] : cases) {
    const auto path = add(text);
    EXPECT_THAT([&] { OnnxFile{path}; },
                ThrowsMessage<ModelError>(
                    AllOf(HasSubstr(path + ": "), HasSubstr(message), ContainsRegex("byte [0-9]+"))));
  }
}

TEST_F(OnnxFileTest, RefusesAMillionParts) {
  const auto dimension = Message().message(1, {}).text();
  std::string shape;
  for (int i = 0; i < 1'000'001; ++i) shape += dimension;
  const auto type = Message().message(1, Message().bytes(2, shape));
  const auto path = add(model_of(Message().message(11, Message().bytes(1, "x").message(2, type))));
  EXPECT_THAT([&] { OnnxFile{path}; },
              ThrowsMessage<ModelError>(HasSubstr("more than 1000000 parts at byte")));
}

TEST_F(OnnxFileTest, RefusesEveryPrefix) {
  const auto model = small_model();
  const auto path = folder_.add("cut.onnx", model);
  for (std::size_t size = model.size(); size-- > 0;) {
    std::filesystem::resize_file(path, size);
    EXPECT_THROW(OnnxFile{path}, ModelError) << size;
  }
}

// Most flipped bits give another valid model; those in lengths, wire types and element types are rejected.
TEST_F(OnnxFileTest, TakesOrRefusesEveryFlippedBit) {
  const auto model = small_model();
  const auto path = folder_.add("flipped.onnx", model);
  std::fstream bytes(path, std::ios::in | std::ios::out | std::ios::binary);  // in place, for speed
  const auto put = [&](std::size_t at, std::uint8_t byte) {
    bytes.seekp(static_cast<std::streamoff>(at)).put(static_cast<char>(byte)).flush();
  };
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < 8 * model.size(); ++bit) {
    put(bit / 8, model[bit / 8] ^ static_cast<std::uint8_t>(1U << bit % 8));
    try {
      const OnnxFile file(path);
      for (const auto& tensor : file.model().initializers) {
        if (!tensor.data) continue;
        std::vector<std::byte> values(tensor.data->size);
        file.read(tensor.data->byte, values);
      }
    } catch (const ModelError& error) {
      EXPECT_THAT(error.what(), ContainsRegex("byte [0-9]+")) << bit;
      ++refused;
    }
    put(bit / 8, model[bit / 8]);
  }
  ASSERT_TRUE(bytes);
  EXPECT_GT(refused, model.size()) << "of " << 8 * model.size();
}

}  // namespace
}  // namespace warpfit::test
