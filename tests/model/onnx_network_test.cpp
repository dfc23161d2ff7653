#include "host/model/onnx_network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace warpfit::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;

// A model whose parameters and state are different numbers.
Model model_of(const std::string& network, std::vector<std::int64_t> sample_shape) {
  Model model{{.network = parse_network(network), .sample_shape = std::move(sample_shape), .names = "net"},
              {}};
  const auto plan = plan_of(model.info);
  model.parameters.resize(plan.floats);
  std::iota(model.parameters.begin(), model.parameters.end(), 0.0F);
  model.state.resize(plan.state_floats);
  std::iota(model.state.begin(), model.state.end(), 0.5F);
  for (const auto& tensor : plan.state)  // a counter has the bits of an integer
    if (tensor.role == TensorRole::kCounter) model.state[tensor.offset] = 0;
  return model;
}

std::string text_of(const OnnxAttribute& attribute) {
  return std::visit(
      [&](const auto& value) {
        if constexpr (requires { value.size(); })
          return fmt::format("{}={}", attribute.name, fmt::join(value, " "));
        else
          return fmt::format("{}={}", attribute.name, value);
      },
      attribute.value);
}

// "Elu(Relu_1_output; alpha=0.5)": the operator, its inputs after the first, and its attributes.
std::string text_of(const OnnxOperator& described) {
  std::vector<std::string> attributes;
  for (const auto& attribute : described.attributes) attributes.push_back(text_of(attribute));
  return fmt::format("{}({}; {})", described.type, fmt::join(described.inputs, ", "),
                     fmt::join(attributes, ", "));
}

std::vector<std::string> operators(const OnnxGraph& graph) {
  std::vector<std::string> all;
  for (const auto& each : graph.operators) all.push_back(text_of(each));
  return all;
}

std::vector<std::string> types(const std::string& network, const std::vector<std::int64_t>& sample_shape) {
  const auto model = model_of(network, sample_shape);
  std::vector<std::string> all;
  for (const auto& each : onnx_graph_of(model).operators) all.push_back(each.type);
  return all;
}

std::vector<float> values_of(const OnnxTensor& tensor) {
  const auto values = std::get<std::span<const float>>(tensor.values);
  return {values.begin(), values.end()};
}

TEST(OnnxNetwork, HasAnOperatorForEachLayer) {
  const auto model = model_of(
      "conv(4,3,stride=2,padding=3,dilation=2,bias=false),batchnorm(0.001,0.1),relu,conv(6,2,groups=2),"
      "maxpool(3,2,1),dropout,avgpool(2,1),globalavgpool,linear(5),batchnorm,sigmoid,linear(3)",
      {28, 28});
  const auto graph = onnx_graph_of(model);
  EXPECT_THAT(
      operators(graph),
      ElementsAre("Reshape(image_shape; )",
                  "Conv(net.0.weight; kernel_shape=3 3, strides=2 2, pads=3 3 3 3, dilations=2 2, group=1)",
                  "BatchNormalization(net.1.weight, net.1.bias, net.1.running_mean, net.1.running_var; "
                  "epsilon=0.001)",
                  "Relu(; )",
                  "Conv(net.3.weight, net.3.bias; kernel_shape=2 2, strides=1 1, pads=0 0 0 0, dilations=1 "
                  "1, group=2)",
                  "MaxPool(; kernel_shape=3 3, strides=2 2, pads=1 1 1 1)",
                  "AveragePool(; kernel_shape=2 2, strides=1 1, pads=0 0 0 0, count_include_pad=1)",
                  "GlobalAveragePool(; )", "Flatten(; axis=1)", "Gemm(net.9.weight, net.9.bias; transB=1)",
                  "BatchNormalization(net.10.weight, net.10.bias, net.10.running_mean, net.10.running_var; "
                  "epsilon=1e-05)",
                  "Sigmoid(; )", "Gemm(net.12.weight, net.12.bias; transB=1)"));
  EXPECT_THAT(graph.sample_shape, ElementsAre(28, 28));
  EXPECT_THAT(graph.output_shape, ElementsAre(3));
}

TEST(OnnxNetwork, NormalizesTheSamples) {
  auto model = model_of("linear(2)", {2, 2});
  model.info.normalization = {1, {0.5F}, {0.25F}};
  const auto graph = onnx_graph_of(model);
  EXPECT_THAT(operators(graph), ElementsAre("Sub(normalize_mean; )", "Div(normalize_std; )",
                                            "Flatten(; axis=1)", "Gemm(net.0.weight, net.0.bias; transB=1)"));
  EXPECT_THAT(graph.tensors[0].shape, IsEmpty());
  EXPECT_THAT(values_of(graph.tensors[1]), ElementsAre(0.25F));
  auto colors = model_of("conv(2,1),globalavgpool", {2, 3, 4});
  colors.info.normalization = {2, {0.5F, 0.75F}, {0.25F, 0.125F}};
  const auto of_colors = onnx_graph_of(colors);
  EXPECT_EQ(operators(of_colors).front(), "Sub(normalize_mean; )");
  EXPECT_THAT(of_colors.tensors[0].shape, ElementsAre(2, 1, 1));
  EXPECT_THAT(values_of(of_colors.tensors[0]), ElementsAre(0.5F, 0.75F));
  EXPECT_THAT(values_of(of_colors.tensors[1]), ElementsAre(0.25F, 0.125F));
}

// Above, left, below, right.
TEST(OnnxNetwork, HasThePaddingOfSameAsNumbers) {
  const auto graph = onnx_graph_of(
      model_of("conv(4,4,padding=same),conv(4,3,padding=same,dilation=2),globalavgpool", {1, 9, 9}));
  const auto all = operators(graph);
  EXPECT_THAT(all, testing::Contains(testing::HasSubstr("pads=1 1 2 2, dilations=1 1")));
  EXPECT_THAT(all, testing::Contains(testing::HasSubstr("pads=2 2 2 2, dilations=2 2")));
}

TEST(OnnxNetwork, AddsTheInputsOfResidualBlocks) {
  const auto model = model_of("relu,residual(linear(4),residual(relu)),linear(2)", {4});
  EXPECT_THAT(operators(onnx_graph_of(model)),
              ElementsAre("Flatten(; axis=1)", "Relu(; )", "Gemm(net.1.0.weight, net.1.0.bias; transB=1)",
                          "Relu(; )", "Add(Gemm_3_output; )", "Add(Relu_2_output; )",
                          "Gemm(net.2.weight, net.2.bias; transB=1)"));
}

TEST(OnnxNetwork, HoldsTheTensorsOfTheModel) {
  const auto model = model_of("conv(4,3,groups=2),batchnorm,globalavgpool,linear(2,bias=false)", {2, 8, 8});
  const auto plan = plan_of(model.info);
  const auto graph = onnx_graph_of(model);
  const std::pair<const PlannedTensor*, std::span<const float>> expected[] = {
      {&plan.tensors[0], model.parameters}, {&plan.tensors[1], model.parameters},
      {&plan.tensors[2], model.parameters}, {&plan.tensors[3], model.parameters},
      {&plan.state[0], model.state},        {&plan.state[1], model.state},
      {&plan.tensors[4], model.parameters}};
  ASSERT_EQ(graph.tensors.size(), std::size(expected));
  for (std::size_t i = 0; i < graph.tensors.size(); ++i) {
    const auto& [tensor, flat] = expected[i];
    EXPECT_EQ(graph.tensors[i].name, "net." + tensor->name);
    EXPECT_EQ(graph.tensors[i].shape, tensor->shape);
    const auto values = tensor->in(flat);
    EXPECT_EQ(values_of(graph.tensors[i]), std::vector<float>(values.begin(), values.end())) << tensor->name;
  }
}

TEST(OnnxNetwork, ReshapesSamplesToImagesWhereALayerNeedsThem) {
  const auto model = model_of("relu,conv(4,3),flatten,linear(2)", {6, 8});
  const auto graph = onnx_graph_of(model);
  EXPECT_EQ(graph.tensors.at(0).name, "image_shape");
  EXPECT_THAT(graph.tensors[0].shape, ElementsAre(4));
  EXPECT_THAT(std::get<1>(graph.tensors[0].values), ElementsAre(0, 1, 6, 8));
  EXPECT_THAT(types("relu,conv(4,3),linear(2)", {6, 8}),
              ElementsAre("Reshape", "Relu", "Conv", "Flatten", "Gemm"));
  EXPECT_THAT(types("batchnorm,flatten,linear(2)", {6, 8}),
              ElementsAre("Reshape", "BatchNormalization", "Flatten", "Gemm"));
  EXPECT_THAT(types("conv(4,3),linear(2)", {3, 6, 8}), ElementsAre("Conv", "Flatten", "Gemm"));
  EXPECT_THAT(types("linear(4),batchnorm", {6, 8}), ElementsAre("Flatten", "Gemm", "BatchNormalization"));
  EXPECT_THAT(types("relu,flatten,linear(2)", {6, 8}), ElementsAre("Flatten", "Relu", "Gemm"));
  EXPECT_THAT(types("flatten,batchnorm,linear(2)", {3, 6, 8}),
              ElementsAre("Flatten", "BatchNormalization", "Gemm"));
  EXPECT_THAT(types("linear(2)", {48}), ElementsAre("Flatten", "Gemm"));
  EXPECT_THAT(types("linear(2)", {2, 2, 2, 2}), ElementsAre("Flatten", "Gemm"));
}

// PyTorch's output would be images of one pixel.
TEST(OnnxNetwork, EndsWithVectors) {
  auto model = model_of("conv(10,3),globalavgpool", {8, 8});
  model.info.log_softmax = true;
  const auto graph = onnx_graph_of(model);
  EXPECT_EQ(text_of(graph.operators.at(3)), "Flatten(; axis=1)");
  EXPECT_EQ(text_of(graph.operators.at(4)), "LogSoftmax(; axis=1)");
  EXPECT_THAT(graph.output_shape, ElementsAre(10));
}

// LeakyRelu and Elu have an attribute; GELU and SiLU are composed of other operators.
TEST(OnnxNetwork, ComposesActivations) {
  const auto model = model_of("linear(2),gelu,linear(3),silu,gelu,elu(0.5),leakyrelu(0.25),tanh", {4});
  const auto graph = onnx_graph_of(model);
  EXPECT_THAT(
      operators(graph),
      ElementsAre("Flatten(; axis=1)", "Gemm(net.0.weight, net.0.bias; transB=1)", "Div(gelu_root_of_2; )",
                  "Erf(; )", "Add(gelu_one; )", "Mul(Gemm_2_output; )", "Mul(gelu_half; )",
                  "Gemm(net.2.weight, net.2.bias; transB=1)", "Sigmoid(; )", "Mul(Gemm_8_output; )",
                  "Div(gelu_root_of_2; )", "Erf(; )", "Add(gelu_one; )", "Mul(Mul_10_output; )",
                  "Mul(gelu_half; )", "Elu(; alpha=0.5)", "LeakyRelu(; alpha=0.25)", "Tanh(; )"));
  std::vector<std::pair<std::string, float>> scalars;
  for (const auto& tensor : graph.tensors) {
    if (tensor.shape.empty()) scalars.emplace_back(tensor.name, values_of(tensor).at(0));
  }
  EXPECT_THAT(scalars, ElementsAre(Pair("gelu_root_of_2", std::sqrt(2.0F)), Pair("gelu_one", 1),
                                   Pair("gelu_half", 0.5F)));
}

TEST(OnnxNetwork, HasTheMetadataOfTheModel) {
  const auto model = model_of("linear(3)", {4});
  const auto graph = onnx_graph_of(model);
  EXPECT_THAT(graph.metadata, Contains(Pair("warpfit.network", "linear(3)")));
  EXPECT_THAT(graph.metadata, Not(Contains(Key("format"))));
  EXPECT_THAT(graph.producer_version, IsEmpty());
}

}  // namespace
}  // namespace warpfit::test
