#include "host/train/operation_plan.hpp"

#include <gtest/gtest.h>

#include <string>

namespace warpfit {
namespace {

// The plan as text, with the values that each operation reads and writes: "linear+relu" is a linear layer
// with fused ReLU, "relu'linear" a linear layer whose input gradient passes through the preceding ReLU.
std::string text(const OperationPlan& plan) {
  std::string all;
  for (const auto& planned : plan.operations) {
    if (const auto* linear = std::get_if<LinearOperation>(&planned.operation)) {
      if (linear->input_activation == ActivationKind::kRelu) all += "relu'";
      all += "linear";
      if (linear->activation == ActivationKind::kRelu) all += "+relu";
    } else if (const auto* norm = std::get_if<BatchNormOperation>(&planned.operation)) {
      all += norm->activation == ActivationKind::kRelu ? "batchnorm+relu" : "batchnorm";
    } else {
      all += std::holds_alternative<ActivationOperation>(planned.operation) ? "relu" : "dropout";
    }
    all += " " + std::to_string(planned.x) + ">" + std::to_string(planned.y) + "; ";
  }
  return all;
}

std::string text(std::vector<Layer> layers) {
  return text(plan_operations(plan_network({std::move(layers), 4}), 1));
}

TEST(OperationPlan, FusesReluBetweenLinearLayers) {
  EXPECT_EQ(text({Linear{3}, Activation{}, Linear{2}}), "linear+relu 0>1; relu'linear 1>2; ");
  EXPECT_EQ(text({Linear{3}, Activation{}, Dropout{0.5F}, Linear{2}}),
            "linear+relu 0>1; dropout 1>1; relu'linear 1>2; ");
}

TEST(OperationPlan, FusesReluAfterBatchNormalization) {
  EXPECT_EQ(text({Linear{3}, BatchNorm{}, Activation{}, Linear{2}}),
            "linear 0>1; batchnorm+relu 1>2; relu'linear 2>3; ");
  EXPECT_EQ(text({Linear{3}, Activation{}, BatchNorm{}, Linear{2}}),
            "linear 0>1; relu 1>2; batchnorm 2>3; linear 3>4; ");
}

TEST(OperationPlan, LeavesReluAloneWhereItsDerivativeCannotBeFused) {
  EXPECT_EQ(text({Linear{3}, Activation{}}), "linear 0>1; relu 1>2; ");
  EXPECT_EQ(text({Activation{}, Linear{3}}), "relu 0>1; linear 1>2; ");
  EXPECT_EQ(text({Linear{3}, Activation{}, Activation{}, Linear{2}}),
            "linear 0>1; relu 1>2; relu 2>3; linear 3>4; ");
  EXPECT_EQ(text({Linear{3}, Dropout{0.5F}, Activation{}, Linear{2}}),
            "linear 0>1; dropout 1>1; relu 1>2; linear 2>3; ");
}

TEST(OperationPlan, LeavesOutWhatDoesNothing) {
  EXPECT_EQ(text({Flatten{}, Linear{3}, Dropout{0}, Linear{2}}), "linear 0>1; linear 1>2; ");
}

TEST(OperationPlan, TellsDropoutLayersApartAndWhatLearns) {
  const auto plan =
      plan_operations(plan_network({{Dropout{0.1F}, Linear{3}, Dropout{0.2F}, Linear{2}}, 4}), 7);
  ASSERT_EQ(plan.operations.size(), 4U);
  const auto& first = std::get<DropoutOperation>(plan.operations[0].operation).mask;
  const auto& second = std::get<DropoutOperation>(plan.operations[2].operation).mask;
  EXPECT_EQ(first.layer, 0U);
  EXPECT_EQ(second.layer, 1U);
  EXPECT_EQ(second.seed, 7U);
  EXPECT_EQ(second.p, 0.2F);
  EXPECT_EQ(plan.widths, (std::vector<std::int64_t>{4, 3, 2}));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(plan.operations[i].has_input_gradient, i >= 2) << i;
}

}  // namespace
}  // namespace warpfit
