// The fused engine, which runs many batches per launch, compared with the layer-by-layer engine: the same
// losses, parameters and moments, for networks of every depth with widths that are not multiples of anything.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>

#include "host/train/engine.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/linear_tensors.hpp"
#include "tests/support/random.hpp"
#include "tests/support/sanitizers.hpp"

namespace warpfit::test {
namespace {

struct Case {
  std::vector<std::int64_t> widths;
  std::int64_t batch;
  std::int64_t last;  ///< rows of the last batch
  bool shuffled;
  Optimizer optimizer;
  float label_smoothing = 0;
};

const Optimizer kMomentum = Sgd{.momentum = 0.9F, .weight_decay = 0.01F};
const Optimizer kNesterov = Sgd{.momentum = 0.5F, .weight_decay = 0.001F, .nesterov = true};

const std::vector<Case> kCases{
    {{5, 3}, 1, 1, false, Sgd{}},
    {{33, 10}, 20, 5, true, kMomentum},
    {{160, 10}, 7, 6, false, Sgd{}, 0.1F},
    {{5, 4, 3}, 1, 1, true, Sgd{}},
    {{7, 33, 10}, 13, 1, false, Sgd{.weight_decay = 0.1F}},
    {{16, 34, 2}, 96, 31, true, Sgd{}},
    {{784, 20, 10}, 32, 16, false, kNesterov},
    {{9, 8, 7, 5}, 3, 2, false, Sgd{}},
    {{31, 33, 35, 11}, 17, 8, true, kMomentum, 0.2F},
    {{64, 32, 20, 10}, 40, 32, false, Sgd{}},
    {{48, 1, 20, 40}, 9, 4, false, Adam{}},
    {{6, 5, 4, 3, 2}, 9, 7, true, Sgd{}},
    {{20, 17, 41, 23, 4}, 18, 16, false, kNesterov},
    {{16, 32, 16, 32, 16, 8}, 12, 11, true, Sgd{}},
    {{4, 516, 16, 3}, 66, 65, false, Sgd{}},  // more tiles than warps
    {{784, 512, 512, 10}, 32, 16, false, Sgd{}},
    {{784, 512, 512, 10}, 64, 32, true, Sgd{}},
};
constexpr std::size_t kTutorial = 15;  // this network and the next: on 32, and on 128 or more multiprocessors

// Under sanitizers, each step takes long, and a few steps are enough.
const std::int64_t kSteps = [] {
  constexpr std::int64_t kUsual = kThreadSanitizer ? 3 : kSanitized ? 6 : 50;
  const char* asked = std::getenv("WARPFIT_FUSED_STEPS");
  return asked != nullptr ? std::atoll(asked) : kUsual;
}();
constexpr double kTolerance = 1e-5;

/// The results of a run of kSteps steps.
struct Trained {
  std::vector<float> losses;  ///< after some of the calls
  std::vector<float> parameters;
  OptimizerState::Memory optimizer;
  Metrics training, evaluation;
};

class Fused : public testing::TestWithParam<std::tuple<std::string, std::size_t>> {
 protected:
  void SetUp() override { require_backend(std::get<0>(GetParam()), backend_); }

  const Case& given() const { return kCases[std::get<1>(GetParam())]; }
  std::int64_t samples() const { return (kSteps - 1) * given().batch + given().last; }

  // Calls with different numbers of batches, and the short batch at the end.
  std::vector<BatchRun> runs(std::int64_t second) const {
    std::vector<BatchRun> runs;
    std::int64_t step = 0;
    for (const std::int64_t batches : {std::int64_t{1}, second, std::int64_t{0}, kSteps - 2 - second}) {
      runs.push_back({{}, step * given().batch, batches, given().batch, 0, nullptr, step});
      step += batches;
    }
    runs.push_back({{}, step * given().batch, 1, given().last, 0, nullptr, step});
    return runs;
  }

  // Runs compiled steps in as few launches as possible, or layer by layer.
  Trained train(bool fused, std::int64_t second = kSteps / 2) {
    TestValues values;
    const NetworkSpec spec = multilayer_perceptron(given().widths);
    const auto plan = plan_network(spec);
    const Buffer<std::uint8_t> pixels(*backend_, values.bytes(samples() * *spec.inputs));
    const Buffer<Label> labels(*backend_, values.labels(samples(), static_cast<int>(plan.classes())));
    std::vector<float> growing(static_cast<std::size_t>(kSteps));
    std::ranges::generate(growing, [rate = 0.0F]() mutable { return rate += 0.001F; });
    const Buffer<float> rates(*backend_, growing);
    std::vector<std::uint32_t> visits(static_cast<std::size_t>(samples()));
    std::iota(visits.begin(), visits.end(), 0U);
    std::shuffle(visits.begin(), visits.end(), std::mt19937(test_seed()));
    const Buffer<std::uint32_t> order(*backend_, visits);
    const Network network(*backend_, plan, parameters(values, plan));
    const Workspace workspace(*backend_, network, {.max_batch_size = given().batch, .keeps_gradients = true});
    const OptimizerState optimizer(*backend_, given().optimizer, plan.floats);
    TrainingRule rule;
    rule.loss.label_smoothing = given().label_smoothing;
    rule.optimizer = &optimizer;
    StepRunner training(*backend_, workspace, rule.loss, [&](const Batch& batch, Metrics* metrics) {
      train_step(*backend_, network, batch, rule, metrics);
    });
    StepRunner evaluation(*backend_, workspace, rule.loss, [&](const Batch& batch, Metrics* metrics) {
      evaluation_step(*backend_, batch, metrics);
    });
    if (fused) fuse(network, workspace, rule, training, evaluation);

    Trained trained;
    for (auto run : runs(second)) {
      run.samples = {pixels.data(), labels.data(), samples(), *spec.inputs,
                     given().shuffled ? order.data() : nullptr};
      run.rates = rates.data() + run.step;
      training.run(run);
      evaluation.run(run);
      trained.losses.push_back(training.read_metrics().last_loss);
    }
    trained.parameters = network.parameters().to_host();
    trained.optimizer = optimizer.memory();
    trained.training = training.read_metrics();
    trained.evaluation = evaluation.read_metrics();
    return trained;
  }

 private:
  void fuse(const Network& network, const Workspace& workspace, const TrainingRule& rule,
            StepRunner& training, StepRunner& evaluation) {
    std::string reason;
    ASSERT_TRUE(training.compile(training_plan(network, workspace, rule), reason)) << reason;
    ASSERT_TRUE(evaluation.compile(evaluation_plan(network, workspace, rule.loss), reason)) << reason;
  }

  // Scaled so that values neither vanish nor explode; zeros in the padding of the layout.
  static std::vector<float> parameters(TestValues& values, const NetworkPlan& plan) {
    std::vector<float> result(plan.floats);
    for (const auto& layer : linear_tensors(plan)) {
      const auto bound = 1.5 / std::sqrt(static_cast<double>(layer.inputs));
      std::ranges::copy(values.uniform(layer.inputs * layer.outputs, bound), result.begin() + layer.weight);
      std::ranges::copy(values.uniform(layer.outputs, bound), result.begin() + layer.bias);
    }
    return result;
  }

  std::unique_ptr<Backend> backend_;
};

testing::AssertionResult close(const std::vector<float>& actual, const std::vector<float>& expected) {
  const std::vector<double> doubles(expected.begin(), expected.end());
  return all_close(actual, doubles, {kTolerance, kTolerance});
}

void expect_same(const Metrics& actual, const Metrics& expected) {
  EXPECT_EQ(actual.batches, expected.batches);
  EXPECT_EQ(actual.correct, expected.correct);
  EXPECT_EQ(actual.non_finite, 0);
  EXPECT_NEAR(actual.loss_sum, expected.loss_sum, kTolerance * static_cast<double>(expected.batches));
}

void expect_same(const Trained& actual, const Trained& expected) {
  EXPECT_TRUE(close(actual.losses, expected.losses));
  EXPECT_TRUE(close(actual.parameters, expected.parameters));
  EXPECT_EQ(actual.optimizer.steps, expected.optimizer.steps);
  for (std::size_t k = 0; k < kMaxMoments; ++k) {
    const auto& moment = expected.optimizer.moments[k];
    ASSERT_EQ(actual.optimizer.moments[k].size(), moment.size());
    if (moment.empty()) continue;
    EXPECT_TRUE(close(actual.optimizer.moments[k], moment)) << "moment " << k;
  }
  expect_same(actual.training, expected.training);
  expect_same(actual.evaluation, expected.evaluation);
}

TEST_P(Fused, EqualsTheLayers) { expect_same(train(true), train(false)); }

using FusedTutorial = Fused;

TEST_P(FusedTutorial, EqualsTheLayers) { expect_same(train(true), train(false)); }

using FusedTwice = Fused;

// Any distribution of the batches over launches gives the same results.
TEST_P(FusedTwice, GivesTheSameBits) {
  const auto first = train(true);
  const auto second = train(true, kSteps / 3);
  EXPECT_EQ(first.parameters, second.parameters);
  EXPECT_EQ(first.training.loss_sum, second.training.loss_sum);
}

std::string case_name(const testing::TestParamInfo<std::tuple<std::string, std::size_t>>& info) {
  const auto& network = kCases[std::get<1>(info.param)];
  std::string name = std::get<0>(info.param);
  for (const auto width : network.widths) name += fmt::format("_{}", width);
  return name + fmt::format("_batch{}", network.batch);
}

INSTANTIATE_TEST_SUITE_P(Networks, Fused,
                         testing::Combine(testing::Values("cuda"), testing::Range<std::size_t>(0, kTutorial)),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Networks, FusedTutorial,
                         testing::Combine(testing::Values("cuda"), testing::Values(kTutorial, kTutorial + 1)),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Networks, FusedTwice,
                         testing::Combine(testing::Values("cuda"), testing::Values(1, 8, 13)), case_name);

}  // namespace
}  // namespace warpfit::test
