// Decodes the written files according to onnx.proto and the description of protobuf's encoding.
#include "host/files/onnx.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "host/base/error.hpp"
#include "host/files/protobuf_writer.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

// A decoded message: its fields in the file's order.
class Fields {
 public:
  explicit Fields(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto tag = varint(bytes);
      if ((tag & 7) == 5) {  // a float
        fields_.push_back({static_cast<int>(tag >> 3), 0, bytes.substr(0, 4)});
        bytes.remove_prefix(4);
        continue;
      }
      Field field{static_cast<int>(tag >> 3), varint(bytes), {}};
      if ((tag & 7) == 2) {
        if (field.number > bytes.size()) throw std::runtime_error("a field is cut");
        field.text = bytes.substr(0, field.number);
        bytes.remove_prefix(field.number);
      } else if ((tag & 7) != 0) {
        throw std::runtime_error("a kind that is not expected");
      }
      fields_.push_back(field);
    }
  }

  [[nodiscard]] std::vector<std::string> texts(int field) const {
    std::vector<std::string> found;
    for (const auto& each : fields_) {
      if (each.field == field) found.emplace_back(each.text);
    }
    return found;
  }
  [[nodiscard]] std::vector<std::uint64_t> numbers(int field) const {
    std::vector<std::uint64_t> found;
    for (const auto& each : fields_) {
      if (each.field == field) found.push_back(each.number);
    }
    return found;
  }
  [[nodiscard]] std::string text(int field) const { return texts(field).at(0); }
  [[nodiscard]] Fields message(int field) const { return Fields(fields_.at(index(field)).text); }
  [[nodiscard]] std::vector<Fields> messages(int field) const {
    std::vector<Fields> found;
    for (const auto& each : fields_) {
      if (each.field == field) found.emplace_back(each.text);
    }
    return found;
  }

 private:
  struct Field {
    int field;
    std::uint64_t number;
    std::string_view text;
  };

  static std::uint64_t varint(std::string_view& bytes) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.at(0));
      bytes.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    throw std::runtime_error("a number without end");
  }

  [[nodiscard]] std::size_t index(int field) const {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (fields_[i].field == field) return i;
    }
    throw std::runtime_error("no field " + std::to_string(field));
  }

  std::vector<Field> fields_;
};

std::vector<float> floats(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

const std::vector<float> kW1{1, 2, 3, 4, 5, 6, 7, 8};
const std::vector<float> kB1{0.5F, -0.5F};
const std::vector<float> kW2{1, -1, 2, -2, 3, -3};
const std::vector<float> kB2{0, 1, 2};

OnnxNetwork two_layers() {
  return {.sample_shape = {2, 2},
          .layers = {{"0.weight", "0.bias", 4, 2, kW1, kB1, "Relu"}, {"2.weight", "2.bias", 2, 3, kW2, kB2}},
          .log_softmax = true,
          .metadata = {{"seed", "7"}, {"network", "4-2-3"}},
          .producer_version = "1.2.3"};
}

class OnnxTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return (folder_.path() / "model.onnx").string(); }
  /// The bytes of the written model.
  [[nodiscard]] std::string written(const OnnxNetwork& network) const {
    write_onnx(path(), network);
    const auto bytes = read_file(path());
    return {bytes.begin(), bytes.end()};
  }
  template <class E>
  void expect_refused(const OnnxNetwork& network, const std::string& message) const {
    EXPECT_THAT([&] { write_onnx(path(), network); },
                ThrowsMessage<E>(AllOf(HasSubstr(path()), HasSubstr(message))));
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  }

  TemporaryFolder folder_;
};

// The examples of https://protobuf.dev/programming-guides/encoding.
TEST(ProtobufWriter, EncodesTheExamplesOfItsDescription) {
  const auto example = ProtobufMessage().integer(1, 150);
  EXPECT_EQ(example.text(), "\x08\x96\x01");
  EXPECT_EQ(ProtobufMessage().bytes(2, "testing").text(), "\x12\x07testing");
  EXPECT_EQ(ProtobufMessage().message(3, example).text(), "\x1a\x03\x08\x96\x01");
  EXPECT_EQ(ProtobufMessage().integer(1, -2).text(), "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  EXPECT_EQ(ProtobufMessage().integer(20, 0).text(), std::string("\xa0\x01\0", 3));
  EXPECT_EQ(ProtobufMessage().start_bytes(9, 128).text(), "\x4a\x80\x01");
}

TEST_F(OnnxTest, SaysWhatItIs) {
  const auto bytes = written(two_layers());
  const Fields model(bytes);
  EXPECT_THAT(model.numbers(1), ElementsAre(8));
  EXPECT_EQ(model.text(2), "warpfit");
  EXPECT_EQ(model.text(3), "1.2.3");
  ASSERT_EQ(model.messages(8).size(), 1U);
  EXPECT_EQ(model.message(8).text(1), "");
  EXPECT_THAT(model.message(8).numbers(2), ElementsAre(17));
  const auto entries = model.messages(14);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].text(1) + "=" + entries[0].text(2), "network=4-2-3");
  EXPECT_EQ(entries[1].text(1) + "=" + entries[1].text(2), "seed=7");
  EXPECT_EQ(model.message(7).text(2), "warpfit");
}

TEST_F(OnnxTest, ChainsTheOperators) {
  const auto bytes = written(two_layers());
  const auto nodes = Fields(bytes).message(7).messages(1);
  std::vector<std::string> types;
  std::string value = "input";
  for (const auto& node : nodes) {
    types.push_back(node.text(4));
    EXPECT_EQ(node.texts(1).at(0), value);
    ASSERT_EQ(node.texts(2).size(), 1U);
    value = node.text(2);
  }
  EXPECT_EQ(value, "output");
  EXPECT_THAT(types, ElementsAre("Flatten", "Gemm", "Relu", "Gemm", "LogSoftmax"));
  EXPECT_THAT(nodes.at(1).texts(1), ElementsAre("Flatten_1_output", "0.weight", "0.bias"));
  EXPECT_THAT(nodes.at(3).texts(1), ElementsAre("Relu_3_output", "2.weight", "2.bias"));
  EXPECT_THAT(nodes.at(2).texts(5), IsEmpty());
  const std::pair<std::size_t, std::string> attributes[] = {
      {0, "axis"}, {1, "transB"}, {3, "transB"}, {4, "axis"}};
  for (const auto& [node, name] : attributes) {
    const auto attribute = nodes.at(node).message(5);
    EXPECT_EQ(attribute.text(1), name);
    EXPECT_THAT(attribute.numbers(3), ElementsAre(1));
    EXPECT_THAT(attribute.numbers(20), ElementsAre(2)) << "AttributeProto.INT";
  }
}

// LeakyRelu and Elu have an attribute; Gelu and Silu are composed of other operators.
TEST_F(OnnxTest, WritesActivations) {
  auto network = two_layers();
  network.log_softmax = false;
  network.layers[0].activation = "Gelu";
  network.layers.push_back({.inputs = 3, .outputs = 3, .activation = "Silu"});
  network.layers.push_back({.inputs = 3, .outputs = 3, .activation = "Elu", .alpha = 0.5F});
  const auto bytes = written(network);
  const auto graph = Fields(bytes).message(7);
  std::vector<std::string> operators;
  for (const auto& node : graph.messages(1)) operators.push_back(node.text(4));
  EXPECT_THAT(operators, ElementsAre("Flatten", "Gemm", "Div", "Erf", "Add", "Mul", "Mul", "Gemm", "Sigmoid",
                                     "Mul", "Elu"));
  EXPECT_THAT(graph.messages(1)[5].texts(1), ElementsAre("Add_5_output", "Gemm_2_output"));
  EXPECT_THAT(graph.messages(1)[9].texts(1), ElementsAre("Sigmoid_9_output", "Gemm_8_output"));
  EXPECT_THAT(floats(graph.messages(1)[10].message(5).text(2)), ElementsAre(0.5F));
  EXPECT_EQ(graph.messages(1)[10].text(2), "output");
  EXPECT_THAT(floats(graph.messages(5)[4].text(9)), ElementsAre(std::sqrt(2.0F)));
}

TEST_F(OnnxTest, EndsWithTheLastLayerWhereNothingFollowsIt) {
  auto network = two_layers();
  network.log_softmax = false;
  network.layers.pop_back();
  network.layers[0].activation = "";
  const auto bytes = written(network);
  const auto nodes = Fields(bytes).message(7).messages(1);
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(nodes[1].text(4), "Gemm");
  EXPECT_EQ(nodes[1].text(2), "output");
}

TEST_F(OnnxTest, HoldsWeightsUnderTheirNames) {
  const auto bytes = written(two_layers());
  const auto tensors = Fields(bytes).message(7).messages(5);
  ASSERT_EQ(tensors.size(), 4U);
  const std::string names[] = {"0.weight", "0.bias", "2.weight", "2.bias"};
  const std::vector<std::uint64_t> shapes[] = {{2, 4}, {2}, {3, 2}, {3}};
  const std::vector<float> values[] = {kW1, kB1, kW2, kB2};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(tensors[i].text(8), names[i]);
    EXPECT_EQ(tensors[i].numbers(1), shapes[i]);
    EXPECT_THAT(tensors[i].numbers(2), ElementsAre(1)) << "TensorProto.FLOAT";
    EXPECT_EQ(floats(tensors[i].text(9)), values[i]);
  }
}

TEST_F(OnnxTest, TakesAnyBatch) {
  const auto bytes = written(two_layers());
  const auto graph = Fields(bytes).message(7);
  const auto expect_shape = [&](int field, const std::string& name,
                                const std::vector<std::uint64_t>& after_batch) {
    ASSERT_EQ(graph.messages(field).size(), 1U);
    const auto value = graph.message(field);
    EXPECT_EQ(value.text(1), name);
    const auto tensor = value.message(2).message(1);
    EXPECT_THAT(tensor.numbers(1), ElementsAre(1));
    const auto dimensions = tensor.message(2).messages(1);
    ASSERT_EQ(dimensions.size(), 1 + after_batch.size());
    EXPECT_EQ(dimensions[0].text(2), "batch");
    EXPECT_THAT(dimensions[0].numbers(1), IsEmpty());
    for (std::size_t i = 0; i < after_batch.size(); ++i)
      EXPECT_THAT(dimensions[i + 1].numbers(1), ElementsAre(after_batch[i]));
  };
  expect_shape(11, "input", {2, 2});
  expect_shape(12, "output", {3});
}

TEST_F(OnnxTest, RefusesLayersThatDoNotFit) {
  const auto expect_bad = [this](auto change) {
    auto network = two_layers();
    change(network);
    expect_refused<InternalError>(network, "cannot write");
  };
  expect_bad([](auto& network) { network.layers.clear(); });
  expect_bad([](auto& network) { network.sample_shape = {2, 0}; });
  expect_bad([](auto& network) { network.sample_shape = {2, -2}; });
  expect_bad([](auto& network) { network.sample_shape = {5}; });
  expect_bad([](auto& network) { network.layers.erase(network.layers.begin()); });
  expect_bad([](auto& network) { network.layers[0].w = std::span(kW1).first(7); });
  expect_bad([](auto& network) { network.layers[0].b = kB2; });
  expect_bad([](auto& network) { network.layers[1].outputs = 2; });
  expect_bad([](auto& network) { network.layers[1].outputs = -3; });
}

TEST_F(OnnxTest, RefusesMetadataThatIsNoText) {
  auto network = two_layers();
  network.metadata = {{"a", "\xFF"}};
  expect_refused<ModelError>(network, "UTF-8");
  network.metadata = {{"\xC3", "a"}};
  expect_refused<ModelError>(network, "UTF-8");
}

// The pages are unreadable: the size must be checked before the weights are read.
TEST_F(OnnxTest, RefusesWhatProtobufCannotHold) {
  constexpr std::int64_t kInputs = (1LL << 29) - 64;  // 256 bytes less than 2 GB
  const auto size = static_cast<std::size_t>(kInputs) * sizeof(float);
  void* const pages = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  const std::vector<float> b(1);
  OnnxNetwork network;
  network.sample_shape = {kInputs};
  network.layers = {{"w", "b", kInputs, 1, {static_cast<const float*>(pages), kInputs}, b}};
  expect_refused<ModelError>(network, "expected at most 2147483647 for ONNX");
  munmap(pages, size);
}

}  // namespace
}  // namespace warpfit::test
