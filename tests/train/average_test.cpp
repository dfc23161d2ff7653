// Averages of the parameters over a run: what they include, and where they replace the parameters.
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "host/backend/average_formula.hpp"
#include "host/base/error.hpp"
#include "host/model/initializer.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/train/trainer.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/files.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

class TestResults final : public Report {
 public:
  void loss(const LossReport&) override {}
  void epoch_ended(const EpochReport& report) override { results.push_back(report.test); }

  std::vector<Result> results;
};

class AverageOfARun : public OnEachBackend {
 protected:
  // The model's parameters after a run over 300 samples, which starts from `initial` unless that is empty.
  std::vector<float> train(const TrainOptions& options, const std::vector<float>& initial = {}) {
    const auto paths = find_dataset(sample_folder().string(), {});
    const Dataset training_set(paths.train_images, paths.train_labels);
    const Dataset test_set(paths.test_images, paths.test_labels);
    const auto plan = plan_network(multilayer_perceptron({784, 12, 10}));
    TorchGenerator generator(0);
    const auto drawn = initial_parameters(plan, generator);
    Network network(*backend_, plan, initial.empty() ? drawn : initial);
    TestResults report;
    states_.clear();
    Trainer trainer(*backend_, network, {training_set, std::nullopt, test_set}, options, generator, report,
                    {.should_stop = {},
                     .save_every_steps = 1,
                     .save_every_epochs = 0,
                     .save = [this](const TrainingState& state) { states_[state.step] = state; },
                     .improved = [this](std::span<const float> best,
                                        std::span<const float>) { best_.assign(best.begin(), best.end()); }});
    EXPECT_EQ(trainer.run(), StopReason::kCompleted);
    results_ = report.results;
    return trainer.parameters();
  }

  static TrainOptions options() {
    return {.epochs = 3,
            .batch_size = 60,
            .learning_rate = 0.1,
            .shuffle = true,
            .optimizer = Sgd{.momentum = 0.5F}};
  }

  // The average of the parameters after every `every`th step from `first` on.
  [[nodiscard]] Doubles average_of(double decay, std::int64_t first, std::int64_t every) const {
    Doubles average;
    std::int64_t models = 0;
    for (const auto& [step, state] : states_) {
      if (step < first || step % every != 0) continue;
      const double weight = average_weight(decay, models++);
      average.resize(state.parameters.size());
      for (std::size_t i = 0; i < average.size(); ++i)
        average[i] += weight * (state.parameters[i] - average[i]);
    }
    return average;
  }

  std::map<std::int64_t, TrainingState> states_;  // of the last run, by step
  std::vector<Result> results_;                   // of the epochs of the last run
  std::vector<float> best_;                       // model of the best epoch
};

TEST_P(AverageOfARun, IsOfEachStep) {
  auto ema = options();
  ema.ema = 0.75;
  const auto model = train(ema);
  ASSERT_EQ(states_.size(), 15U);
  EXPECT_TRUE(all_close(model, average_of(0.75, 1, 1), {1e-6, 1e-5}));
  EXPECT_EQ(states_.at(15).averages, model);
  EXPECT_NE(states_.at(15).parameters, model);
  EXPECT_EQ(best_, model);  // the loss falls in all three epochs
}

TEST_P(AverageOfARun, IsOfUpdatesWhereGradientsAddUp) {
  auto ema = options();
  ema.ema = 0.75;
  ema.accumulate = 5;
  const auto model = train(ema);
  EXPECT_TRUE(all_close(model, average_of(0.75, 5, 5), {1e-6, 1e-5}));
}

TEST_P(AverageOfARun, IsOfEachEpochFromTheOneThatWasAskedFor) {
  auto swa = options();
  const auto plain = train(swa);
  const auto plain_results = results_;
  swa.swa_start = 2;
  const auto model = train(swa);
  EXPECT_EQ(states_.at(15).parameters, plain);  // training continues as without averaging
  EXPECT_TRUE(all_close(model, average_of(0, 10, 5), {1e-6, 1e-5}));
  EXPECT_EQ(results_[0].loss, plain_results[0].loss);
  EXPECT_EQ(results_[1].loss, plain_results[1].loss);  // the average of a single epoch
  EXPECT_NE(results_[2].loss, plain_results[2].loss);
}

// The evaluated model is the saved one: evaluating the saved model gives the same results.
TEST_P(AverageOfARun, IsWhatIsTested) {
  for (const bool of_steps : {true, false}) {
    SCOPED_TRACE(of_steps);
    auto averaging = options();
    (of_steps ? averaging.ema : averaging.learning_rate) = of_steps ? 0.9 : 0.2;
    averaging.swa_start = of_steps ? 0 : 1;
    const auto model = train(averaging);
    const auto tested = results_.back();
    auto still = options();
    still.epochs = 1;
    still.learning_rate = 0;
    EXPECT_EQ(train(still, model), model);
    EXPECT_EQ(results_.front().loss, tested.loss);
    EXPECT_EQ(results_.front().correct, tested.correct);
  }
}

TEST_P(AverageOfARun, GoesOnWithAStateOfTheSameKindOnly) {
  auto ema = options();
  ema.ema = 0.75;
  train(ema);
  const auto state = states_.at(7);
  const auto paths = find_dataset(sample_folder().string(), {});
  const Dataset samples(paths.train_images, paths.train_labels);
  const auto plan = plan_network(multilayer_perceptron({784, 12, 10}));
  Network network(*backend_, plan, state.parameters);
  TestResults report;
  Trainer trainer(*backend_, network, {samples, std::nullopt, samples}, options(), TorchGenerator(0), report);
  EXPECT_THROW(trainer.restore(state), ModelError);
}

INSTANTIATE_TEST_SUITE_P(Backends, AverageOfARun, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
