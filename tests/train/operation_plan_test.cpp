#include "host/train/operation_plan.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <string>

#include "host/model/frozen_parameters.hpp"

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
    } else if (const auto* conv = std::get_if<ConvOperation>(&planned.operation)) {
      if (conv->input_activation == ActivationKind::kRelu) all += "relu'";
      all += conv->activation == ActivationKind::kRelu ? "conv+relu" : "conv";
    } else if (const auto* pool = std::get_if<PoolOperation>(&planned.operation)) {
      all += pool->activation == ActivationKind::kRelu ? "pool+relu" : "pool";
    } else if (const auto* transposition = std::get_if<TransposeOperation>(&planned.operation)) {
      all +=
          "transpose " + std::to_string(transposition->rows) + "x" + std::to_string(transposition->columns);
    } else if (std::holds_alternative<ForkOperation>(planned.operation)) {
      all += "fork";
    } else if (const auto* sum = std::get_if<AddOperation>(&planned.operation)) {
      all +=
          "add " + std::to_string(planned.other) + (sum->activation == ActivationKind::kRelu ? "+relu" : "");
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

std::string text_of_images(std::string_view network, const Shape& sample = {1, 6, 6}) {
  return text(plan_operations(plan_network(parse_network(network), sample), 1));
}

TEST(OperationPlan, FusesReluIntoMaxPooling) {
  const std::string fused = "conv 0>1; pool+relu 1>2; transpose 4x3 2>3; linear 3>4; ";
  EXPECT_EQ(text_of_images("conv(3,3),relu,maxpool(2),linear(2)"), fused);
  EXPECT_EQ(text_of_images("conv(3,3),maxpool(2),relu,linear(2)"), fused);
  EXPECT_EQ(text_of_images("conv(3,3),relu,maxpool(2),relu,linear(2)"), fused);
  EXPECT_EQ(text_of_images("conv(3,3),relu,avgpool(2),linear(2)"),
            "conv 0>1; relu 1>2; pool 2>3; transpose 4x3 3>4; linear 4>5; ");
  EXPECT_EQ(text_of_images("relu,maxpool(2),linear(2)"), "pool+relu 0>1; linear 1>2; ");
}

TEST(OperationPlan, FusesReluBetweenConvolutions) {
  EXPECT_EQ(text_of_images("conv(3,3),relu,dropout(0.5),conv(2,3),relu,linear(2)"),
            "conv+relu 0>1; dropout 1>1; relu'conv+relu 1>2; transpose 4x2 2>3; relu'linear 3>4; ");
}

// Images are channels first where they enter and where they are flattened, and channels last in between.
TEST(OperationPlan, TransposesImagesWhereTheirLayoutChanges) {
  EXPECT_EQ(text_of_images("conv(2,3),linear(2)", {3, 6, 6}),
            "transpose 3x36 0>1; conv 1>2; transpose 16x2 2>3; linear 3>4; ");
  EXPECT_EQ(text_of_images("linear(2)", {3, 6, 6}), "linear 0>1; ");
  EXPECT_EQ(text_of_images("conv(2,3),globalavgpool,linear(2)"), "conv 0>1; pool 1>2; linear 2>3; ");
  EXPECT_EQ(text_of_images("maxpool(2),linear(2)"), "pool 0>1; linear 1>2; ");
  EXPECT_EQ(text_of_images("flatten,linear(2),batchnorm", {3, 6, 6}), "linear 0>1; batchnorm 1>2; ");
}

TEST(OperationPlan, AddsTheInputOfAResidualBlock) {
  const auto plan = plan_operations(
      plan_network(parse_network("linear(4),residual(linear(4),residual(relu,linear(4))),relu,linear(2)"),
                   {4}),
      1);
  EXPECT_EQ(text(plan),
            "linear 0>1; fork 1>2; linear 2>3; fork 3>4; relu 4>5; linear 5>6; add 3 6>7; add 1+relu 7>8; "
            "relu'linear 8>9; ");
  EXPECT_EQ(plan.operations[1].other, 8U);  // whose gradient is added
  EXPECT_EQ(plan.operations[3].other, 7U);
  // The blocks' layers read the inputs of the blocks, and have the gradients of their sums.
  EXPECT_EQ(plan.memory, (std::vector<std::size_t>{0, 1, 1, 3, 3, 5, 6, 7, 8, 9}));
  EXPECT_EQ(plan.gradient_memory, (std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 8, 8, 8, 9}));
}

TEST(OperationPlan, GivesDropoutAtTheEdgesOfAResidualBlockMemoryOfItsOwn) {
  const auto plan = plan_operations(
      plan_network(parse_network("linear(4),residual(dropout,linear(4),dropout),linear(2)"), {4}), 1);
  EXPECT_EQ(text(plan),
            "linear 0>1; fork 1>2; dropout 2>2; linear 2>3; dropout 3>3; add 1 3>4; linear 4>5; ");
  for (std::size_t i = 0; i < plan.widths.size(); ++i) {
    EXPECT_EQ(plan.memory[i], i);
    EXPECT_EQ(plan.gradient_memory[i], i);
  }
}

// As images they would otherwise be added to images of another layout.
TEST(OperationPlan, TransposesTheInputOfAResidualBlock) {
  EXPECT_EQ(text_of_images("residual(conv(3,3,padding=1)),linear(2)", {3, 6, 6}),
            "transpose 3x36 0>1; fork 1>2; conv 2>3; add 1 3>4; transpose 36x3 4>5; linear 5>6; ");
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

// As text: "t" for an operation that trains, "g" for one that computes its input gradient.
std::string work_of(const std::vector<std::string>& frozen) {
  auto network =
      plan_network(parse_network("linear(4),relu,residual(linear(4)),linear(3),batchnorm,linear(2)"), {4});
  freeze(network, frozen);
  std::string text;
  for (const auto& planned : plan_operations(network, 1).operations)
    text += fmt::format("{}{} ", planned.trains ? "t" : "-", planned.has_input_gradient ? "g" : "-");
  return text;
}

// Linear and ReLU, the beginning of the block, its linear layer and its end, linear, batch normalization,
// linear.
TEST(OperationPlan, LeavesOutGradientsThatNothingNeeds) {
  EXPECT_EQ(work_of({}), "t- -g -g tg -g tg tg tg ");
  EXPECT_EQ(work_of({"0.weight", "4.bias"}), work_of({}));
  EXPECT_EQ(work_of({"0.*"}), "-- -- -- t- -g tg tg tg ");
  EXPECT_EQ(work_of({"0.*", "2.*", "3.*"}), "-- -- -- -- -- -- t- tg ");
  EXPECT_EQ(work_of({"4.*"}), "t- -g -g tg -g tg -g tg ");
}

}  // namespace
}  // namespace warpfit
