#include "host/model/network_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/error.hpp"

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

TEST(NetworkPlan, LeavesOutABiasThatIsNotWanted) {
  const auto plan = plan_network({{Linear{.outputs = 2, .bias = false}}, 3});
  EXPECT_THAT(names(plan), ElementsAre("0.weight"));
  EXPECT_EQ(plan.parameters(), 6);
}

std::string refusal(const NetworkSpec& network, const Shape& sample) {
  try {
    plan_network(network, sample);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "none";
}

TEST(NetworkPlan, NamesTheLayerThatDoesNotFit) {
  const auto message = refusal({{Activation{}, Linear{10}}, {}}, {1, 28, 28});
  EXPECT_THAT(message, HasSubstr("layer 2, linear(10): its input is 1x28x28, expected a vector"));
  EXPECT_THAT(refusal(multilayer_perceptron({1 << 24, 1 << 24, 2}), {1 << 24}),
              HasSubstr("layer 1, linear(16777216): more than 1099511627776 parameters"));
  EXPECT_THAT(refusal({{}, {}}, {3}), HasSubstr("at least one layer"));
  EXPECT_THAT(refusal({{Linear{1}}, {}}, {3}), HasSubstr("its output is 1, expected a vector of at least 2"));
  EXPECT_THAT(refusal({{Activation{}}, {}}, {1, 2, 2}), HasSubstr("its output is 1x2x2"));
}

}  // namespace
}  // namespace warpfit
