// What the trainer tracks in addition to the parameters: the best epoch, the epochs without improvement, the
// rows of the reports, and when it saves. Plain loops over the results compute each of them again here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>

#include "host/model/initializer.hpp"
#include "host/run/make_backend.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/train/trainer.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

constexpr std::int64_t kBatchSize = 32;

struct Rows {
  std::vector<LossReport> losses;
  std::vector<EpochReport> epochs;
};

class Recorder final : public Report {
 public:
  explicit Recorder(Rows& rows) : rows_(rows) {}
  void loss(const LossReport& report) override { rows_.losses.push_back(report); }
  void epoch_ended(const EpochReport& report) override { rows_.epochs.push_back(report); }

 private:
  Rows& rows_;
};

struct TrainedRun {
  Rows reports;
  std::vector<std::int64_t> improved;  ///< epochs after which a new best model was reported
  std::vector<TrainingState> saved;
  StopReason stop_reason{};
};

class BestEpoch : public testing::Test {
 protected:
  TrainedRun train(const TrainOptions& options, bool validates, TrainerHooks hooks = {},
                   const TrainingState* from = nullptr) const {
    const auto backend = make_backend({.device = {DeviceChoice::Kind::kCpu}, .threads = 1});
    const NetworkSpec spec = multilayer_perceptron({784, 16, 10});
    const auto plan = plan_network(spec);
    TorchGenerator generator(options.seed);
    Network network(*backend, plan, initial_parameters(plan, generator));
    const auto [training, validation] = split_off(training_set_, 0.2, false, 0);
    TrainingData data{training_set_, std::nullopt, test_set_};
    if (validates) data = {training, validation, test_set_};
    TrainedRun run;
    hooks.save = [&run](const TrainingState& state) { run.saved.push_back(state); };
    hooks.improved = [&](std::span<const float> parameters, std::span<const float>) {
      run.improved.push_back(static_cast<std::int64_t>(run.reports.epochs.size()) + 1);
      const auto now = network.parameters().to_host();
      EXPECT_TRUE(std::ranges::equal(parameters, now));
    };
    if (stop_after_ > 0) hooks.should_stop = [&] { return run.reports.epochs.size() == stop_after_; };
    Recorder recorder(run.reports);
    Trainer trainer(*backend, network, data, options, generator, recorder, hooks);
    if (from != nullptr) trainer.restore(*from);
    run.stop_reason = trainer.run();
    return run;
  }

  // The learning rate is so high that losses and accuracies fluctuate.
  [[nodiscard]] static TrainOptions options() {
    return {.epochs = 12, .batch_size = kBatchSize, .learning_rate = 0.3, .seed = 3, .log_every = 2};
  }

  std::size_t stop_after_ = 0;  // number of epochs after which a stop is requested; 0: never
  Dataset training_set_ = read("train");
  Dataset test_set_ = read("t10k");

 private:
  static Dataset read(const std::string& set) {
    const auto paths = find_dataset(sample_folder().string(), {});
    return set == "train" ? Dataset(paths.train_images, paths.train_labels)
                          : Dataset(paths.test_images, paths.test_labels);
  }
};

using Case = std::tuple<BestBy, double, bool>;
class BestEpochCases : public BestEpoch, public testing::WithParamInterface<Case> {
 protected:
  [[nodiscard]] static TrainOptions options_for(BestBy by, double min_delta) {
    auto asked = options();
    asked.best_by = by;
    asked.min_delta = min_delta;
    return asked;
  }
};

double value_of(const EpochReport& report, BestBy by) {
  const Result& result = report.validation ? *report.validation : report.test;
  return by == BestBy::kLoss ? -result.loss : result.accuracy();  // higher is better
}

TEST_P(BestEpochCases, IsThatOfAPlainLoopOverTheResults) {
  const auto& [by, min_delta, validates] = GetParam();
  auto asked = options_for(by, min_delta);
  const auto run = train(asked, validates, {.save_every_epochs = 1});
  ASSERT_EQ(run.saved.size(), run.reports.epochs.size());

  std::vector<std::int64_t> improved;
  double best = 0, reference = 0;
  std::int64_t epochs_without_improvement = 0;
  for (std::size_t i = 0; i < run.saved.size(); ++i) {
    SCOPED_TRACE(testing::Message() << "epoch " << i + 1);
    const double value = value_of(run.reports.epochs[i], by);
    if (i == 0 || value > best) {
      best = value;
      improved.push_back(static_cast<std::int64_t>(i) + 1);
    }
    ++epochs_without_improvement;
    if (i == 0 || value > reference + min_delta) {
      reference = value;
      epochs_without_improvement = 0;
    }
    const double sign = by == BestBy::kLoss ? -1 : 1;
    EXPECT_EQ(run.saved[i].best.value, sign * best);
    EXPECT_EQ(run.saved[i].best.epoch, improved.back());
    EXPECT_EQ(run.saved[i].best.reference, sign * reference);
    EXPECT_EQ(run.saved[i].best.epochs_without_improvement, epochs_without_improvement);
  }
  EXPECT_EQ(run.improved, improved);
  // The test is meaningful only if the results rise and fall.
  EXPECT_GT(improved.size(), 1U);
  EXPECT_LT(improved.size(), run.saved.size());
}

TEST_P(BestEpochCases, EndsTheRunWhenPatienceIsOver) {
  const auto& [by, min_delta, validates] = GetParam();
  auto asked = options_for(by, min_delta);
  const auto whole = train(asked, validates, {.save_every_epochs = 1});
  asked.patience = 2;
  const auto ended = train(asked, validates, {.save_every_epochs = 1});
  const auto last = std::ranges::find_if(
      whole.saved, [](const TrainingState& state) { return state.best.epochs_without_improvement >= 2; });
  if (last == whole.saved.end()) {
    EXPECT_EQ(ended.stop_reason, StopReason::kCompleted);
    return;
  }
  EXPECT_EQ(ended.stop_reason, StopReason::kNoImprovement);
  EXPECT_EQ(static_cast<std::int64_t>(ended.reports.epochs.size()), last->epoch - 1);
}

TEST_P(BestEpochCases, GoesOnFromACheckpoint) {
  const auto& [by, min_delta, validates] = GetParam();
  auto asked = options_for(by, min_delta);
  const auto whole = train(asked, validates, {.save_every_epochs = 1});
  for (std::size_t start = 1; start < whole.saved.size(); start += 3) {
    const auto rest = train(asked, validates, {.save_every_epochs = 1}, &whole.saved[start]);
    ASSERT_EQ(rest.saved.size(), whole.saved.size() - start - 1);
    for (std::size_t i = 0; i < rest.saved.size(); ++i) {
      const auto& best = rest.saved[i].best;
      const auto& expected = whole.saved[start + 1 + i].best;
      EXPECT_EQ(
          std::tuple(best.epoch, best.value, best.epochs_without_improvement, best.reference),
          std::tuple(expected.epoch, expected.value, expected.epochs_without_improvement, expected.reference))
          << "epoch " << rest.saved[i].epoch - 1 << " from " << whole.saved[start].epoch;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Trainer, BestEpochCases,
                         testing::Combine(testing::Values(BestBy::kLoss, BestBy::kAccuracy),
                                          testing::Values(0.0, 0.02), testing::Bool()));

// 10 batches per epoch, the last of 12 samples; save intervals that do not divide the run's number of steps.
TEST_F(BestEpoch, SavesAtTheRunsEndWhateverTheInterval) {
  auto asked = options();
  asked.epochs = 2;
  const auto run = train(asked, false, {.save_every_steps = 7});
  std::vector<std::int64_t> steps;
  for (const auto& state : run.saved) steps.push_back(state.step);
  EXPECT_THAT(steps, testing::ElementsAre(7, 14, 20));
}

TEST_F(BestEpoch, StoppedInTheLastEpochIsDone) {
  auto asked = options();
  asked.epochs = 2;
  stop_after_ = 2;
  const auto run = train(asked, false);
  EXPECT_EQ(run.stop_reason, StopReason::kCompleted);
  EXPECT_EQ(run.reports.epochs.size(), 2U);
}

TEST_F(BestEpoch, StoppedWithinAnEpochSavesThere) {
  int looks = 0;
  const auto run = train(options(), false, {.should_stop = [&looks] { return ++looks == 3; }});
  EXPECT_EQ(run.stop_reason, StopReason::kInterrupted);
  EXPECT_TRUE(run.reports.epochs.empty());
  ASSERT_EQ(run.saved.size(), 1U);
  EXPECT_GT(run.saved[0].batch, 0);
  EXPECT_LT(run.saved[0].batch, 10);
}

// Learning rates and sample counts belong to the step and epoch of each row.
TEST_F(BestEpoch, RowsCountWhatWasTrained) {
  auto asked = options();
  asked.epochs = 2;
  asked.schedule = Exponential{.gamma = 0.5};
  const auto whole = train(asked, false, {.save_every_steps = 7});
  for (const auto& report : whole.reports.losses) {
    EXPECT_EQ(report.trained, report.seen + (report.seen == 288 ? 12 : kBatchSize)) << report.step;
    EXPECT_EQ(report.learning_rate, report.epoch == 1 ? 0.3 : 0.15) << report.step;
  }
  for (const auto& report : whole.reports.epochs) {
    EXPECT_EQ(report.trained, 300);
    EXPECT_EQ(report.learning_rate, report.epoch == 1 ? 0.3 : 0.15);
  }
  const auto rest = train(asked, false, {}, &whole.saved.front());
  ASSERT_FALSE(rest.reports.losses.empty());
  EXPECT_EQ(rest.reports.losses.front().seen, 8 * kBatchSize);
  EXPECT_EQ(rest.reports.losses.front().trained, 2 * kBatchSize);  // from batch 7 on
  EXPECT_EQ(rest.reports.epochs.front().trained, 300 - 7 * kBatchSize);
}

TEST_F(BestEpoch, TrainingLossIsTheMeanOfTheEpochsBatches) {
  auto asked = options();
  asked.epochs = 3;
  asked.log_every = 1;
  const auto run = train(asked, false);
  for (const auto& epoch : run.reports.epochs) {
    double sum = 0;
    for (const auto& report : run.reports.losses)
      sum += report.epoch == epoch.epoch ? double{report.loss} : 0;
    EXPECT_DOUBLE_EQ(epoch.training.loss, sum / 10);
    EXPECT_EQ(epoch.training.samples, 300);
    EXPECT_LE(epoch.training.correct, 300);
  }
}

// With every third batch logged, the last one logged in an epoch of 10 batches is batch 9, the short one.
TEST_F(BestEpoch, CountsAShortLastBatch) {
  auto asked = options();
  asked.epochs = 1;
  asked.log_every = 3;
  const auto run = train(asked, false);
  ASSERT_FALSE(run.reports.losses.empty());
  EXPECT_EQ(run.reports.losses.back().seen, 9 * kBatchSize);
  EXPECT_EQ(run.reports.losses.back().trained, 300);
}

}  // namespace
}  // namespace warpfit::test
