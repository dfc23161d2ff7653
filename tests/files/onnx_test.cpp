// Decodes the written files according to onnx.proto and the description of protobuf's encoding.
#include "host/files/onnx.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <filesystem>

#include "host/base/error.hpp"
#include "host/files/protobuf_writer.hpp"
#include "tests/support/files.hpp"
#include "tests/support/protobuf_fields.hpp"

namespace warpfit::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

std::vector<float> floats(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

const std::vector<float> kW1{1, 2, 3, 4, 5, 6, 7, 8};
const std::vector<float> kB1{0.5F, -0.5F};
const std::vector<float> kW2{1, -1, 2, -2, 3, -3};
const std::vector<float> kB2{0, 1, 2};

OnnxGraph two_layers() {
  return {.sample_shape = {2, 2},
          .output_shape = {3},
          .operators = {{"Flatten", {}, {{"axis", 1}}},
                        {"Gemm", {"0.weight", "0.bias"}, {{"transB", 1}}},
                        {"Relu"},
                        {"Gemm", {"2.weight", "2.bias"}, {{"transB", 1}}},
                        {"LogSoftmax", {}, {{"axis", 1}}}},
          .tensors = {{"0.weight", {2, 4}, kW1},
                      {"0.bias", {2}, kB1},
                      {"2.weight", {3, 2}, kW2},
                      {"2.bias", {3}, kB2}},
          .metadata = {{"seed", "7"}, {"network", "4-2-3"}},
          .producer_version = "1.2.3"};
}

class OnnxTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return (folder_.path() / "model.onnx").string(); }
  /// The bytes of the written model.
  [[nodiscard]] std::string written(const OnnxGraph& graph) const {
    write_onnx(path(), graph);
    const auto bytes = read_file(path());
    return {bytes.begin(), bytes.end()};
  }
  template <class E>
  void expect_refused(const OnnxGraph& graph, const std::string& message) const {
    EXPECT_THAT([&] { write_onnx(path(), graph); },
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

TEST_F(OnnxTest, WritesAttributesOfEachType) {
  auto graph = two_layers();
  graph.operators[2] = {"MaxPool", {}, {{"pads", std::vector<std::int64_t>{0, 300, -1}}, {"alpha", 0.5F}}};
  const auto bytes = written(graph);
  const auto attributes = Fields(bytes).message(7).messages(1).at(2).messages(5);
  ASSERT_EQ(attributes.size(), 2U);
  EXPECT_EQ(attributes[0].text(1), "pads");
  EXPECT_THAT(attributes[0].numbers(8), ElementsAre(0, 300, std::uint64_t(-1)));
  EXPECT_THAT(attributes[0].numbers(20), ElementsAre(7)) << "AttributeProto.INTS";
  EXPECT_EQ(attributes[1].text(1), "alpha");
  EXPECT_THAT(floats(attributes[1].text(2)), ElementsAre(0.5F));
  EXPECT_THAT(attributes[1].numbers(20), ElementsAre(1)) << "AttributeProto.FLOAT";
}

TEST_F(OnnxTest, ReadsEarlierValues) {
  OnnxGraph graph{.sample_shape = {3}, .output_shape = {3}, .operators = {}, .tensors = {}};
  EXPECT_EQ(newest_value(graph), "input");
  graph.operators.push_back({"Relu"});
  EXPECT_EQ(newest_value(graph), "Relu_1_output");
  graph.operators.push_back({"Sigmoid"});
  graph.operators.push_back({"Mul", {"Relu_1_output"}});
  graph.operators.push_back({"Add", {"input"}});
  const auto bytes = written(graph);
  const auto nodes = Fields(bytes).message(7).messages(1);
  ASSERT_EQ(nodes.size(), 4U);
  EXPECT_EQ(nodes[2].text(3), "Mul_3");
  EXPECT_THAT(nodes[2].texts(1), ElementsAre("Sigmoid_2_output", "Relu_1_output"));
  EXPECT_THAT(nodes[3].texts(1), ElementsAre("Mul_3_output", "input"));
}

TEST_F(OnnxTest, EndsWithTheLastOperator) {
  auto graph = two_layers();
  graph.operators.resize(2);
  const auto bytes = written(graph);
  const auto nodes = Fields(bytes).message(7).messages(1);
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(nodes[1].text(4), "Gemm");
  EXPECT_EQ(nodes[1].text(2), "output");
}

TEST_F(OnnxTest, WritesIntegersAndScalars) {
  auto graph = two_layers();
  graph.operators[2] = {"Reshape", {"shape"}};
  graph.operators.push_back({"Add", {"half"}});
  const std::vector<float> half{0.5F};
  graph.tensors.push_back({"shape", {2}, std::vector<std::int64_t>{0, -1}});
  graph.tensors.push_back({"half", {}, half});
  const auto bytes = written(graph);
  const auto tensors = Fields(bytes).message(7).messages(5);
  ASSERT_EQ(tensors.size(), 6U);
  EXPECT_EQ(tensors[4].text(8), "shape");
  EXPECT_THAT(tensors[4].numbers(1), ElementsAre(2));
  EXPECT_THAT(tensors[4].numbers(2), ElementsAre(7)) << "TensorProto.INT64";
  EXPECT_EQ(tensors[4].text(9), std::string(8, '\0') + std::string(8, '\xff'));
  EXPECT_THAT(tensors[5].numbers(1), IsEmpty());
  EXPECT_THAT(floats(tensors[5].text(9)), ElementsAre(0.5F));
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

TEST_F(OnnxTest, RefusesWhatDoesNotFit) {
  const auto expect_bad = [this](const std::string& message, auto change) {
    auto graph = two_layers();
    change(graph);
    expect_refused<InternalError>(graph, "cannot write " + message);
  };
  expect_bad("a graph without", [](auto& graph) { graph.operators.clear(); });
  expect_bad("a graph without", [](auto& graph) { graph.sample_shape = {2, 0}; });
  expect_bad("a graph without", [](auto& graph) { graph.sample_shape = {2, -2}; });
  expect_bad("a graph without", [](auto& graph) { graph.output_shape = {0}; });
  expect_bad("tensor '0.weight': its 28 bytes",
             [](auto& graph) { graph.tensors[0].values = std::span(kW1).first(7); });
  expect_bad("tensor '0.bias'", [](auto& graph) { graph.tensors[1].values = kB2; });
  expect_bad("tensor '0.bias'", [](auto& graph) { graph.tensors[1].values = std::vector<std::int64_t>(3); });
  expect_bad("tensor '2.weight'", [](auto& graph) { graph.tensors[2].shape = {2, 2}; });
  expect_bad("tensor '2.weight'", [](auto& graph) { graph.tensors[2].shape = {-3, -2}; });
  expect_bad("tensor '2.bias'", [](auto& graph) {
    graph.tensors[3] = {"2.bias", {0}, std::span<const float>()};
  });
  expect_bad("'0.bias' twice", [](auto& graph) { graph.tensors[3].name = "0.bias"; });
  expect_bad("'input' twice", [](auto& graph) { graph.tensors[3].name = "input"; });
  expect_bad("'Relu_3_output' twice", [](auto& graph) { graph.tensors[3].name = "Relu_3_output"; });
  expect_bad("Gemm_4: there is no '2.bias' before it", [](auto& graph) { graph.tensors.pop_back(); });
  expect_bad("Relu_3: there is no 'Gemm_4_output' before it",
             [](auto& graph) { graph.operators[2].inputs = {"Gemm_4_output"}; });
  expect_bad("Relu_3: there is no 'output'", [](auto& graph) { graph.operators[2].inputs = {"output"}; });
}

TEST_F(OnnxTest, RefusesMetadataThatIsNoText) {
  auto graph = two_layers();
  graph.metadata = {{"a", "\xFF"}};
  expect_refused<ModelError>(graph, "UTF-8");
  graph.metadata = {{"\xC3", "a"}};
  expect_refused<ModelError>(graph, "UTF-8");
}

// The pages are unreadable: the size must be checked before the weights are read.
TEST_F(OnnxTest, RefusesWhatProtobufCannotHold) {
  constexpr std::int64_t kInputs = (1LL << 29) - 64;  // 256 bytes less than 2 GB
  const auto size = static_cast<std::size_t>(kInputs) * sizeof(float);
  void* const pages = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  const std::vector<float> b(1);
  const OnnxGraph graph{
      .sample_shape = {kInputs},
      .output_shape = {1},
      .operators = {{"Flatten", {}, {{"axis", 1}}}, {"Gemm", {"w", "b"}, {{"transB", 1}}}},
      .tensors = {{"w", {1, kInputs}, std::span(static_cast<const float*>(pages), kInputs)}, {"b", {1}, b}}};
  expect_refused<ModelError>(graph, "expected at most 2147483647 for ONNX");
  munmap(pages, size);
}

}  // namespace
}  // namespace warpfit::test
