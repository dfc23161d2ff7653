// Which steps a backend with a fused engine compiles as a whole, and the reasons it gives for refusing
// others.
#include <gtest/gtest.h>

#include "host/train/engine.hpp"
#include "host/train/parameter_average.hpp"
#include "tests/support/backends.hpp"

namespace warpfit::test {
namespace {

class Compiling : public OnEachBackend {
 protected:
  // The reason why a training step was not compiled; "" if it was.
  std::string unsupported_reason(std::vector<Layer> layers, const TrainingRule& rule = {}) {
    const auto plan = plan_network({std::move(layers), 6});
    const Network network(*backend_, plan, std::vector<float>(plan.floats));
    const Workspace workspace(*backend_, network, {.max_batch_size = 4});
    auto step = training_plan(network, workspace, rule);
    const Buffer<Metrics> metrics(*backend_, std::vector<Metrics>(1));
    step.metrics = metrics.data();
    const auto compiled = backend_->compile(step);
    EXPECT_EQ(compiled.step == nullptr, !compiled.reason.empty());
    return compiled.reason;
  }
};

TEST_P(Compiling, TakesLinearLayersWithReluBetweenThem) {
  EXPECT_EQ(unsupported_reason({Linear{4}, Activation{}, Linear{3}}), "");
  EXPECT_EQ(unsupported_reason({Linear{3}}), "");
  EXPECT_EQ(unsupported_reason({Flatten{}, Linear{4}, Activation{}, Linear{3}, Dropout{0}}), "");
}

TEST_P(Compiling, SaysWhatItDoesNotDo) {
  const std::string other = "the network does not consist of linear layers with ReLU between them";
  EXPECT_EQ(unsupported_reason({Linear{4}, Linear{3}}), other);
  EXPECT_EQ(unsupported_reason({Linear{4}, Activation{}}), other);
  EXPECT_EQ(unsupported_reason({Activation{}, Linear{4}, Activation{}, Linear{3}}), other);
  EXPECT_EQ(unsupported_reason({Linear{4}, Activation{}, Dropout{0.5F}, Linear{3}}),
            "dropout is not supported");
  EXPECT_EQ(unsupported_reason({Linear{4, false}, Activation{}, Linear{3}}),
            "linear layers without bias are not supported");
  const std::vector<Layer> mlp{Linear{4}, Activation{}, Linear{3}};
  EXPECT_EQ(unsupported_reason(mlp, {.loss = {LossKind::kMse}}), "only the cross-entropy loss is supported");
  EXPECT_EQ(unsupported_reason(mlp, {.loss = {.class_weights = {1, 2, 3}}}),
            "class weights are not supported");
  const auto plan = plan_network({mlp, 6});
  Network network(*backend_, plan, std::vector<float>(plan.floats));
  const ParameterAverage ema(*backend_, network, {.ema = 0.5});
  EXPECT_EQ(unsupported_reason(mlp, {.average = &ema}), "averages of the parameters are not supported");
  const PixelTransform normalized{.image = {1, 1, 6}, .normalization = {1, {0.5F}, {0.5F}}};
  EXPECT_EQ(unsupported_reason(mlp, {.input = normalized}),
            "augmentation and normalization of the samples are not supported");
  const Buffer<float> sum(*backend_, 4);
  EXPECT_EQ(unsupported_reason(mlp, {.gradient_sum = sum.view()}), "gradient accumulation is not supported");
  EXPECT_EQ(unsupported_reason(mlp, {.clipping = {.norm = 1}}), "gradient clipping is not supported");
  EXPECT_EQ(unsupported_reason(mlp, {.clipping = {.value = 1}}), "gradient clipping is not supported");
  const Buffer<GradientNorm> norm(*backend_, 1);
  EXPECT_EQ(unsupported_reason(mlp, {.norm = norm.data()}), "measuring the gradient norm is not supported");
  const OptimizerState nadam(*backend_, Nadam{}, 0);
  const OptimizerState groups(*backend_, ParameterGroups{{{Adam{}, {{0, 4}}}, {Sgd{}, {{4, 4}}}}}, 0);
  EXPECT_EQ(unsupported_reason(mlp, {.optimizer = &groups}),
            "only one optimizer and learning rate for all parameters is supported");
  EXPECT_EQ(unsupported_reason(mlp, {.optimizer = &nadam}),
            "only the optimizers SGD, Adam, AdamW, RMSprop and Adagrad are supported");
}

INSTANTIATE_TEST_SUITE_P(Backends, Compiling, testing::Values("cuda"), backend_name);

class NotCompiling : public OnEachBackend {};

TEST_P(NotCompiling, GoesLayerByLayer) {
  const auto compiled = backend_->compile({});
  EXPECT_EQ(compiled.step, nullptr);
  EXPECT_EQ(compiled.reason, "this device trains layer by layer");
}

INSTANTIATE_TEST_SUITE_P(Backends, NotCompiling, testing::Values("cpu"), backend_name);

}  // namespace
}  // namespace warpfit::test
