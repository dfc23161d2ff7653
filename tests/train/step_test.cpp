#include "host/train/step.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <stdexcept>

#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/linear_tensors.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

// A network of two layers, a batch, and one step of SGD in double precision.
constexpr std::int64_t kRows = 6;
constexpr std::int64_t kSamples = 80;
constexpr std::int64_t kInputs = 5;
constexpr std::int64_t kHidden = 4;
constexpr std::int64_t kClasses = 3;
constexpr float kRate = 0.1F;

class TrainStep : public OnEachBackend {
 protected:
  TestValues values_;
  std::vector<std::uint8_t> pixels_ = values_.bytes(kSamples * kInputs);
  std::vector<Label> labels_ = values_.labels(kSamples, kClasses);
  NetworkSpec spec_ = multilayer_perceptron({kInputs, kHidden, kClasses});
  NetworkPlan plan_ = plan_network(spec_);
  std::vector<float> parameters_ = values_.uniform(static_cast<std::int64_t>(plan_.floats));

  [[nodiscard]] std::span<const float> weight(std::size_t layer) const {
    return std::span(parameters_)
        .subspan(linear_tensors(plan_)[layer].weight, linear_tensors(plan_)[layer].weight_size());
  }
  [[nodiscard]] std::span<const float> bias(std::size_t layer) const {
    return std::span(parameters_)
        .subspan(linear_tensors(plan_)[layer].bias, linear_tensors(plan_)[layer].bias_size());
  }

  // All parameters after one step on the first rows.
  [[nodiscard]] Doubles expected(std::int64_t step = 0) const {
    std::vector<float> x;
    for (const auto pixel : std::span(pixels_).first(kRows * kInputs)) {
      x.push_back(static_cast<float>(pixel) / 255.0F);
    }
    std::vector<float> hidden;
    std::vector<float> mask;
    for (const double z : reference_linear(x, weight(0), bias(0), kRows)) {
      const auto index = static_cast<std::int64_t>(hidden.size());
      mask.push_back(dropout_.p > 0 ? dropout_.multipliers(step, index / 4)[index % 4] : 1);
      hidden.push_back(std::max<float>(z, 0) * mask.back());
    }
    const auto logits = reference_linear(hidden, weight(1), bias(1), kRows);
    std::vector<float> dlogits;
    for (std::int64_t row = 0; row < kRows; ++row) {
      double sum = 0;
      for (std::int64_t c = 0; c < kClasses; ++c) sum += std::exp(logits[row * kClasses + c]);
      for (std::int64_t c = 0; c < kClasses; ++c) {
        const double share = std::exp(logits[row * kClasses + c]) / sum;
        dlogits.push_back(static_cast<float>((share - (c == labels_[row] ? 1 : 0)) / kRows));
      }
    }
    std::vector<float> dhidden;
    for (const double d : reference_linear_input_gradient(dlogits, weight(1), kRows, kClasses)) {
      const auto index = dhidden.size();
      dhidden.push_back(hidden[index] > 0 ? static_cast<float>(d) * mask[index] : 0.0F);
    }
    Doubles result(parameters_.begin(), parameters_.end());
    subtract(result, linear_tensors(plan_)[1].weight, reference_weight_gradient(hidden, dlogits, kRows));
    subtract(result, linear_tensors(plan_)[1].bias, reference_bias_gradient(dlogits, kRows));
    subtract(result, linear_tensors(plan_)[0].weight, reference_weight_gradient(x, dhidden, kRows));
    subtract(result, linear_tensors(plan_)[0].bias, reference_bias_gradient(dhidden, kRows));
    return result;
  }

  static void subtract(Doubles& parameters, std::size_t at, const Doubles& gradient) {
    for (std::size_t i = 0; i < gradient.size(); ++i) parameters[at + i] -= double{kRate} * gradient[i];
  }

  TrainingRule rule_;
  DropoutMask dropout_;  // after the hidden layer
  Phase last_ = Phase::kUpdate;
  Optimizer optimizer_ = Sgd{};  // for separate updates

  // The parameters after the runs, to which this function adds the samples.
  enum class Kind { kFusedUpdate, kSeparate, kEvaluation };
  std::vector<float> train(std::vector<BatchRun> runs, Kind kind = Kind::kFusedUpdate) {
    const Buffer<std::uint8_t> pixels(*backend_, pixels_);
    const Buffer<Label> labels(*backend_, labels_);
    const Network network(*backend_, plan_network(with_dropout(spec_, dropout_.p)), parameters_);
    const Workspace workspace(
        *backend_, network,
        {.max_batch_size = kRows, .keeps_gradients = kind == Kind::kSeparate, .dropout_seed = dropout_.seed});
    const OptimizerState optimizer(*backend_, optimizer_, parameters_.size());
    const Buffer<GradientNorm> norm(*backend_, std::vector<GradientNorm>(1));
    TrainingRule rule = rule_;
    rule.optimizer = kind == Kind::kSeparate ? &optimizer : nullptr;
    rule.norm = rule.clipping.norm > 0 ? norm.data() : nullptr;
    StepRunner runner(*backend_, workspace, rule.loss, [&](const Batch& batch, Metrics* metrics) {
      if (kind == Kind::kEvaluation) {
        evaluation_step(*backend_, batch, metrics);
      } else {
        train_step(*backend_, network, batch, rule, metrics, last_);
      }
    });
    for (auto& run : runs) {
      run.samples = {pixels.data(), labels.data(), kSamples, kInputs};
      runner.run(run);
    }
    metrics_ = runner.read_metrics();
    return network.parameters().to_host();
  }

  // The same, but with a new network and runner for each run.
  std::vector<float> train_separately(const std::vector<BatchRun>& runs) {
    for (const auto& run : runs) parameters_ = train({run});
    return parameters_;
  }

  Metrics metrics_;
};

TEST_P(TrainStep, IsOneStepOfGradientDescent) {
  for (const Kind kind : {Kind::kFusedUpdate, Kind::kSeparate}) {
    EXPECT_TRUE(all_close(train({{{}, 0, 1, kRows, kRate}}, kind), expected(), {1e-6, 1e-6}));
    EXPECT_EQ(metrics_.batches, 1);
  }
  optimizer_ = Sgd{.momentum = 0.5F};  // its first step equals that of plain SGD
  EXPECT_TRUE(all_close(train({{{}, 0, 1, kRows, kRate}}, Kind::kSeparate), expected(), {1e-6, 1e-6}));
}

// Runs of many batches, with learning rates and dropout masks per step, equal single batches.
TEST_P(TrainStep, TakesRatesAndStepsFromTheRun) {
  dropout_ = {.p = 0.5F, .seed = 1};
  const std::vector<float> rates{0.1F, 0.2F, 0.3F, 0.4F, 0.5F};
  const Buffer<float> on_device(*backend_, rates);
  for (const Kind kind : {Kind::kFusedUpdate, Kind::kSeparate}) {
    const auto together = train({{{}, 0, 5, 2, 0, on_device.data(), 7}}, kind);
    std::vector<BatchRun> runs;
    for (std::int64_t batch = 0; batch < 5; ++batch) {
      runs.push_back({{}, 2 * batch, 1, 2, rates[batch], nullptr, 7 + batch});
    }
    EXPECT_EQ(train(runs, kind), together);
    runs.back().rate = 0.4F;
    EXPECT_NE(train(runs, kind), together);
    runs.back() = {{}, 8, 1, 2, rates[4], nullptr, 12};
    EXPECT_NE(train(runs, kind), together);
  }
}

// Masks of zeros and twos after the hidden layer, computed from the definition; the gradient passes through
// the kept units.
TEST_P(TrainStep, DropsOutHiddenUnits) {
  dropout_ = {.p = 0.5F, .seed = 3};
  constexpr std::int64_t kStep = 2;
  for (const Kind kind : {Kind::kFusedUpdate, Kind::kSeparate}) {
    const auto after = train({{{}, 0, 1, kRows, kRate, nullptr, kStep}}, kind);
    EXPECT_TRUE(all_close(after, expected(kStep), {1e-6, 1e-6}));
    EXPECT_FALSE(all_close(after, expected(kStep + 1), {1e-6, 1e-6}));
  }
}

// Two hidden layers whose outputs are all one: after each of them, only its mask remains.
TEST_P(TrainStep, DropsOutOtherUnitsInEachLayer) {
  const NetworkSpec spec = multilayer_perceptron({kInputs, 8, 8, kClasses});
  const auto plan = plan_network(with_dropout(spec, 0.5F));
  std::vector<float> parameters(plan.floats);
  for (const auto& layer : linear_tensors(plan))
    std::fill_n(parameters.begin() + layer.bias, layer.bias_size(), 1.0F);
  const Network network(*backend_, plan, parameters);
  const Workspace workspace(*backend_, network, {.max_batch_size = kRows, .dropout_seed = 3});
  const Buffer<std::uint8_t> pixels(*backend_, pixels_);
  const Buffer<Label> labels(*backend_, labels_);
  StepRunner runner(*backend_, workspace, rule_.loss, [&](const Batch& batch, Metrics* metrics) {
    train_step(*backend_, network, batch, rule_, metrics, Phase::kForward);
  });
  runner.run({{pixels.data(), labels.data(), kSamples, kInputs}, 0, 1, kRows, kRate});
  const auto batch = workspace.prepare(kRows, std::nullopt);
  for (std::uint32_t layer = 0; layer < 2; ++layer) {
    std::vector<float> values(kRows * 8);
    backend_->download(batch->operations[2 * layer].views.y.data, std::as_writable_bytes(std::span(values)));
    std::vector<float> mask;
    for (std::int64_t quad = 0; quad < kRows * 2; ++quad) {
      for (const float multiplier : DropoutMask{.p = 0.5F, .seed = 3, .layer = layer}.multipliers(0, quad))
        mask.push_back(multiplier);
    }
    EXPECT_EQ(values, mask) << layer;
  }
}

TEST_P(TrainStep, ClipsGradients) {
  rule_.clipping.norm = 0.01F;
  const auto before = parameters_;
  const auto norm_of_step = [&](Kind kind) {
    const auto after = train({{{}, 0, 1, kRows, kRate}}, kind);
    double squares = 0;
    for (std::size_t i = 0; i < after.size(); ++i) squares += std::pow(double{after[i]} - before[i], 2);
    return std::sqrt(squares) / kRate;
  };
  EXPECT_NEAR(norm_of_step(Kind::kSeparate), 0.01, 1e-5);
  EXPECT_GT(norm_of_step(Kind::kFusedUpdate),
            0.1);  // nothing is clipped: fused updates do not store gradients
}

TEST_P(TrainStep, RunsManyBatchesAsOneByOne) {
  const auto together = train({{{}, 0, 3, 2, kRate}});
  EXPECT_EQ(train({{{}, 0, 1, 2, kRate}, {{}, 2, 1, 2, kRate}, {{}, 4, 1, 2, kRate}}), together);
  EXPECT_NE(train({{{}, 0, 1, 2, kRate}, {{}, 2, 1, 2, kRate}, {{}, 2, 1, 2, kRate}}), together);
}

// Enough batches for a backend to run several at once, and a remainder.
TEST_P(TrainStep, RunsLongRunsAsOneByOne) {
  const auto together = train({{{}, 0, 39, 2, kRate}});
  EXPECT_EQ(metrics_.batches, 39);
  std::vector<BatchRun> runs;
  for (std::int64_t batch = 0; batch < 39; ++batch) runs.push_back({{}, 2 * batch, 1, 2, kRate});
  EXPECT_EQ(train(runs), together);
}

TEST_P(TrainStep, TakesAShortLastBatch) {
  const std::vector<BatchRun> runs{{{}, 0, 1, 4, kRate}, {{}, 4, 1, 2, kRate}};
  const auto together = train(runs);
  EXPECT_EQ(metrics_.batches, 2);
  EXPECT_EQ(train_separately(runs), together);
}

// A step recorded for small batches remains valid after a larger batch.
TEST_P(TrainStep, GoesBackToSmallerBatches) {
  const std::vector<BatchRun> runs{{{}, 0, 3, 2, kRate}, {{}, 6, 2, kRows, kRate}, {{}, 0, 3, 2, kRate}};
  const auto together = train(runs);
  EXPECT_EQ(metrics_.batches, 8);
  EXPECT_EQ(train_separately(runs), together);
}

// A backend may record a step at its second call. That call fails while an update may run concurrently.
TEST_P(TrainStep, GoesOnAfterAStepThatFailed) {
  const Buffer<float> x(*backend_, std::vector<float>{1});
  const Buffer<float> dy(*backend_, std::vector<float>{1});
  const Buffer<float> w(*backend_, std::vector<float>{1});
  const Buffer<float> b(*backend_, std::vector<float>{1});
  const std::vector<Vector> tensors{w.view(), b.view()};
  const auto op = backend_->prepare(LinearOperation{.inputs = 1, .outputs = 1}, 1);
  int calls = 0;
  const auto step = backend_->record([&] {
    op->backward_sgd({.x = {x.data(), 1, 1}, .dy = {dy.data(), 1, 1}, .tensors = tensors});
    if (++calls == 2) throw std::runtime_error("no step");
  });
  EXPECT_THROW(step->run({{}, 0, 3, 1, kRate}), std::runtime_error);
  step->run({{}, 0, 1, 1, kRate});
  w.upload(std::vector<float>{1});
  step->run({{}, 0, 1, 1, 0.5F});
  EXPECT_EQ(w.to_host(), std::vector<float>{0.5F});
  EXPECT_TRUE(all_close(train({{{}, 0, 1, kRows, kRate}}), expected(), {1e-6, 1e-6}));
}

TEST_P(TrainStep, LeavesOutWhatFollowsItsLastPhase) {
  for (const Phase last : {Phase::kLoad, Phase::kForward, Phase::kLoss, Phase::kBackward}) {
    last_ = last;
    for (const Kind kind : {Kind::kFusedUpdate, Kind::kSeparate}) {
      EXPECT_EQ(train({one_batch(kRows, kRate)}, kind), parameters_);
      EXPECT_EQ(metrics_.batches, last >= Phase::kLoss ? 1 : 0);
    }
  }
}

TEST_P(TrainStep, EvaluationChangesNoParameter) {
  EXPECT_EQ(train({{{}, 0, 1, kRows, kRate}}, Kind::kEvaluation), parameters_);
  EXPECT_EQ(metrics_.batches, 1);
  EXPECT_TRUE(std::isfinite(metrics_.last_loss));
}

INSTANTIATE_TEST_SUITE_P(Backends, TrainStep, testing::ValuesIn(gemm_backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
