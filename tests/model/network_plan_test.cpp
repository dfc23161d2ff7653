#include "host/model/network_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/error.hpp"
#include "host/model/network_spec.hpp"

namespace warpfit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names(const NetworkPlan& plan) {
  std::vector<std::string> all;
  for (const auto& tensor : plan.tensors) all.push_back(tensor.name);
  return all;
}

TEST(NetworkPlan, HasShapesAndTensorsOfEachLayer) {
  const auto plan = plan_network(multilayer_perceptron({784, 512, 512, 10}), {1, 28, 28});
  std::vector<Shape> outputs;
  for (const auto& node : plan.nodes) outputs.push_back(node.out);
  EXPECT_THAT(outputs, ElementsAre(Shape{784}, Shape{512}, Shape{512}, Shape{512}, Shape{512}, Shape{10}));
  EXPECT_EQ(plan.inputs(), 784);
  EXPECT_EQ(plan.classes(), 10);
  EXPECT_EQ(plan.parameters(), 669'706);
  EXPECT_THAT(names(plan), ElementsAre("0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"));
  EXPECT_THAT(plan.tensors[2].shape, ElementsAre(512, 512));
  EXPECT_THAT(plan.tensors[5].shape, ElementsAre(10));
}

TEST(NetworkPlan, CountsDropoutAsAModule) {
  const auto plan = plan_network(with_dropout(multilayer_perceptron({4, 3, 2}), 0.5F));
  EXPECT_THAT(names(plan), ElementsAre("0.weight", "0.bias", "3.weight", "3.bias"));
}

TEST(NetworkPlan, PlacesEachTensorAt128BytesWithoutOverlap) {
  const auto plan = plan_network(multilayer_perceptron({7, 5, 3}));
  std::size_t end = 0;
  for (const auto& tensor : plan.tensors) {
    EXPECT_EQ(tensor.offset % 32, 0U);
    EXPECT_GE(tensor.offset, end);
    end = tensor.offset + tensor.size;
  }
  EXPECT_GE(plan.floats, end);
}

// The Flatten of images is outside of nn.Sequential only if the first layer is linear.
TEST(NetworkPlan, FlattensImagesBeforeTheFirstLinearLayer) {
  const auto plan = plan_network(
      parse_network("batchnorm,maxpool(3,2,1),relu,avgpool(2),linear(16),batchnorm,linear(10)"), {3, 28, 28});
  EXPECT_THAT(names(plan), ElementsAre("0.weight", "0.bias", "5.weight", "5.bias", "6.weight", "6.bias",
                                       "7.weight", "7.bias"));
  EXPECT_EQ(plan.nodes[1].out, (Shape{3, 14, 14}));
  EXPECT_EQ(plan.nodes[3].out, (Shape{3, 7, 7}));
  EXPECT_EQ(plan.nodes[4].out, (Shape{147}));
  std::vector<std::string> state;
  for (const auto& tensor : plan.state) state.push_back(tensor.name);
  EXPECT_THAT(state, ElementsAre("0.running_mean", "0.running_var", "0.num_batches_tracked", "6.running_mean",
                                 "6.running_var", "6.num_batches_tracked"));
  EXPECT_EQ(plan.parameters(), 3 + 3 + 147 * 16 + 16 + 16 + 16 + 16 * 10 + 10);
  const auto global = plan_network(parse_network("globalavgpool,linear(10)"), {3, 28, 20});
  EXPECT_EQ(global.nodes[0].out, (Shape{3}));
  EXPECT_THAT(names(global), ElementsAre("2.weight", "2.bias"));  // after nn.Flatten
  const auto flattened = plan_network(parse_network("globalavgpool,flatten,linear(10)"), {3, 28, 20});
  EXPECT_THAT(names(flattened), ElementsAre("2.weight", "2.bias"));
}

TEST(NetworkPlan, LeavesOutABiasThatIsNotWanted) {
  const auto plan = plan_network({{Linear{.outputs = 2, .bias = false}}, 3});
  EXPECT_THAT(names(plan), ElementsAre("0.weight"));
  EXPECT_EQ(plan.parameters(), 6);
}

TEST(NetworkPlan, HasShapesAndTensorsOfConvolutions) {
  const auto plan = plan_network(
      parse_network("conv(6,5,padding=2),relu,maxpool(2),conv(16,4,stride=2,groups=2,bias=false),linear(10)"),
      {1, 28, 28});
  EXPECT_EQ(plan.nodes[0].out, (Shape{6, 28, 28}));
  EXPECT_EQ(plan.nodes[3].out, (Shape{16, 6, 6}));
  EXPECT_THAT(names(plan), ElementsAre("0.weight", "0.bias", "3.weight", "5.weight", "5.bias"));
  EXPECT_THAT(plan.tensors[0].shape, ElementsAre(6, 1, 5, 5));
  EXPECT_THAT(plan.tensors[2].shape, ElementsAre(16, 3, 4, 4));
  EXPECT_EQ(std::get<UniformInitializer>(plan.tensors[0].initializer).bound, 0.2F);  // 1 / sqrt(25)
  const auto dilated = plan_network(parse_network("conv(2,3,dilation=3),linear(2)"), {1, 9, 8});
  EXPECT_EQ(dilated.nodes[0].out, (Shape{2, 3, 2}));
}

TEST(NetworkPlan, CountsTheModulesOfResidualBlocks) {
  const auto plan = plan_network(
      parse_network(
          "conv(4,3),relu,residual(conv(4,3,padding=1),batchnorm,relu,residual(conv(4,1))),batchnorm,"
          "linear(10)"),
      {1, 8, 8});
  EXPECT_THAT(names(plan),
              ElementsAre("0.weight", "0.bias", "2.0.weight", "2.0.bias", "2.1.weight", "2.1.bias",
                          "2.3.0.weight", "2.3.0.bias", "3.weight", "3.bias", "5.weight", "5.bias"));
  EXPECT_EQ(plan.state[0].name, "2.1.running_mean");
}

std::string error_message(const NetworkSpec& network, const Shape& sample) {
  try {
    plan_network(network, sample);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "none";
}

// Residual blocks keep the shape of their input.
TEST(NetworkPlan, KeepsTheSizeOfImagesWithPaddingSame) {
  for (const auto* layer : {"conv(4,1,padding=same)", "conv(4,3,padding=same)", "conv(4,4,padding=same)",
                            "conv(4,2,padding=same,dilation=5)", "conv(4,255,padding=same,dilation=255)"}) {
    const auto network = std::string("residual(") + layer + "),globalavgpool";
    EXPECT_EQ(error_message(parse_network(network), {4, 9, 7}), "none") << layer;
  }
}

TEST(NetworkPlan, NamesTheLayerThatDoesNotFit) {
  const auto message = error_message({{Activation{}, Pool{.kernel = 29, .stride = 29}}, {}}, {1, 28, 28});
  EXPECT_THAT(message,
              HasSubstr("layer 2, maxpool(29): its input is 1x28x28, smaller than a window of 29 x 29"));
  EXPECT_THAT(
      error_message({{Pool{.kernel = 3, .stride = 1, .padding = 2}}, {}}, {1, 28, 28}),
      HasSubstr("layer 1, maxpool(3,1,2): padding 2 with windows of 3, expected at most half of a window"));
  EXPECT_THAT(error_message({{Linear{10}, Pool{.kernel = 2, .stride = 2}}, {}}, {1, 28, 28}),
              HasSubstr("layer 2, maxpool(2): its input is a vector of 10, expected images"));
  const auto conv_message = [](const Conv& layer) { return error_message({{layer}, {}}, {4, 9, 7}); };
  EXPECT_THAT(
      conv_message({.out_channels = 2, .kernel = 3, .padding = 1, .dilation = 5}),
      HasSubstr(
          "layer 1, conv(2,3,padding=1,dilation=5): its input is 4x9x7, smaller than a window of 11 x 11 "
          "with padding 1"));
  EXPECT_THAT(
      conv_message({.out_channels = 4, .kernel = 3, .groups = 3}),
      HasSubstr("groups=3 does not divide both the number of input channels, 4, and of output channels, 4"));
  EXPECT_THAT(conv_message({.out_channels = 3, .kernel = 3, .groups = 2}),
              HasSubstr("groups=2 does not divide"));
  EXPECT_THAT(error_message(parse_network("conv(16777216,3),conv(16777216,255,padding=254)"), {1, 9, 9}),
              HasSubstr("layer 2, conv(16777216,255,padding=254): more than 1099511627776 parameters"));
  EXPECT_THAT(error_message({{Linear{10}, Conv{.out_channels = 2}}, {}}, {1, 28, 28}),
              HasSubstr("layer 2, conv(2,1): its input is a vector of 10, expected images"));
  EXPECT_THAT(error_message(parse_network("residual(relu),residual(relu,conv(3,3))"), {1, 9, 7}),
              HasSubstr(": layer 2, residual: its layers turn 1x9x7 into 3x7x5, expected the shape"));
  EXPECT_THAT(error_message(parse_network("relu,residual(relu,residual(relu,conv(8,9)))"), {1, 7, 7}),
              HasSubstr(": layer 2, residual: layer 2, residual: layer 2, conv(8,9): its input is 1x7x7"));
  EXPECT_THAT(error_message(parse_network("globalavgpool,residual(linear(3)),linear(2)"), {3, 9, 7}),
              HasSubstr("layer 2, residual: its layers turn 3 into 3 (a vector), expected the shape"));
  EXPECT_THAT(error_message(multilayer_perceptron({1 << 24, 1 << 24, 2}), {1 << 24}),
              HasSubstr("layer 1, linear(16777216): more than 1099511627776 parameters"));
  EXPECT_THAT(error_message({{}, {}}, {3}), HasSubstr("at least one layer"));
  EXPECT_THAT(error_message({{Linear{1}}, {}}, {3}),
              HasSubstr("its output is 1, expected a vector of at least 2"));
  EXPECT_THAT(error_message({{Activation{}}, {}}, {1, 2, 2}), HasSubstr("its output is 1x2x2"));
}

TEST(NetworkPlan, WhitensInTheFirstLayerOnly) {
  const auto error = [](std::string_view network) {
    return error_message(parse_network(network), {2, 9, 7});
  };
  EXPECT_EQ(error("conv(16,2,init=whiten),linear(2)"), "none");
  EXPECT_EQ(error("conv(2,2,stride=2,padding=1,bias=false,init=whiten),linear(2)"), "none");
  for (const char* network :
       {"relu,conv(8,2,init=whiten),linear(2)", "conv(4,3),conv(8,2,init=whiten),linear(2)",
        "residual(conv(2,3,padding=1,init=whiten)),linear(2)"})
    EXPECT_THAT(error(network),
                HasSubstr("init=whiten): init=whiten is for the first layer of a network only"));
  EXPECT_THAT(
      error("conv(18,2,init=whiten),linear(2)"),
      HasSubstr("layer 1, conv(18,2,init=whiten): init=whiten: 18 output channels, expected an even number "
                "of at most 16"));
  EXPECT_THAT(error("conv(7,2,init=whiten),linear(2)"), HasSubstr("7 output channels"));
  EXPECT_THAT(error("conv(8,2,groups=2,init=whiten),linear(2)"),
              HasSubstr("requires groups=1 and dilation=1"));
  EXPECT_THAT(error("conv(8,2,dilation=2,init=whiten),linear(2)"),
              HasSubstr("requires groups=1 and dilation=1"));
  EXPECT_THAT(error("conv(8,12,padding=9,init=whiten),linear(2)"),
              HasSubstr("a window has 288 values, expected at most 256"));
}

}  // namespace
}  // namespace warpfit
