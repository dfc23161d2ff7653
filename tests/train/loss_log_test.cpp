// Logged losses, which stay on the device until the end of a run of batches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "host/base/error.hpp"
#include "host/model/initializer.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/train/trainer.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/checked_backend.hpp"
#include "tests/support/files.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

class Reported final : public Report {
 public:
  explicit Reported(const CheckedBackend& backend) : backend_(backend) {}

  void loss(const LossReport& report) override {
    losses.push_back(report);
    reads.push_back(backend_.downloads());
  }
  void epoch_ended(const EpochReport& report) override { means.push_back(report.training.loss); }

  std::vector<LossReport> losses;
  std::vector<double> means;        // mean losses of the epochs
  std::vector<std::int64_t> reads;  // number of copies to the host before each loss

 private:
  const CheckedBackend& backend_;
};

class LossLog : public OnEachBackend {
 protected:
  // The loss reports of two epochs of 300 samples.
  std::vector<LossReport> train(const TrainOptions& options) {
    const auto paths = find_dataset(sample_folder().string(), {});
    const Dataset training_set(paths.train_images, paths.train_labels);
    const Dataset test_set(paths.test_images, paths.test_labels);
    const auto plan = plan_network(multilayer_perceptron({784, 12, 10}));
    TorchGenerator generator(0);
    Network network(*backend_, plan, initial_parameters(plan, generator));
    Reported report(dynamic_cast<CheckedBackend&>(*backend_));
    Trainer trainer(*backend_, network, {training_set, std::nullopt, test_set}, options, generator, report);
    try {
      trainer.run();
    } catch (const DivergedError& error) {
      diverged_ = error.what();
    }
    reads_ = report.reads;
    means_ = report.means;
    return report.losses;
  }
  // Results of the last run.
  std::string diverged_;  // error message
  std::vector<double> means_;
  std::vector<std::int64_t> reads_;
};

// 75 batches per epoch.
TEST_P(LossLog, HasTheLossOfEachBatch) {
  const TrainOptions each{.epochs = 2, .batch_size = 4, .learning_rate = 0.1, .log_every = 1};
  const auto all = train(each);
  ASSERT_EQ(all.size(), 150U);
  // On a GPU, several losses are read at once as soon as runs have more than one batch.
  EXPECT_EQ(std::ranges::adjacent_find(reads_) == reads_.end(), backend_->is_host());
  for (std::size_t epoch = 0; epoch < 2; ++epoch) {
    double sum = 0;
    for (std::size_t batch = 0; batch < 75; ++batch) sum += all[epoch * 75 + batch].loss;
    EXPECT_DOUBLE_EQ(sum / 75, means_[epoch]);
  }
  auto few = each;
  few.log_every = 7;
  const auto some = train(few);
  ASSERT_EQ(some.size(), 22U);  // 11 per epoch
  for (const auto& report : some) {
    const auto& same = all[static_cast<std::size_t>(report.step - 1)];
    EXPECT_EQ(report.loss, same.loss);
    EXPECT_EQ(report.step, same.step);
    EXPECT_EQ(report.seen, same.seen);
    EXPECT_EQ(report.epoch, same.epoch);
    EXPECT_EQ((report.step - 1) % 75 * 4, report.seen);
    EXPECT_EQ(report.learning_rate, 0.1);
  }
}

// The losses of batches run one by one, and all at once, with unchanged parameters.
TEST_P(LossLog, IsWhatTheMetricsSay) {
  constexpr std::int64_t kRows = 5, kBatches = 6;
  TestValues values;
  const auto plan = plan_network(multilayer_perceptron({7, 4, 3}));
  TorchGenerator generator(0);
  const Network network(*backend_, plan, initial_parameters(plan, generator));
  const Workspace workspace(*backend_, network, {.max_batch_size = kRows});
  const Buffer<std::uint8_t> pixels(*backend_, values.bytes(kRows * kBatches * 7));
  const Buffer<Label> labels(*backend_, values.labels(kRows * kBatches, 3));
  StepRunner runner(*backend_, workspace, Loss{}, [this](const Batch& batch, Metrics* metrics) {
    evaluation_step(*backend_, batch, metrics);
  });
  runner.keep_losses(kBatches);
  BatchRun run{{pixels.data(), labels.data(), kRows * kBatches, 7}, 0, 1, kRows, 0};
  for (int pass = 0; pass < 2; ++pass) {
    std::vector<float> expected;
    for (std::int64_t batch = 0; batch < kBatches; ++batch) {
      run.first = batch * kRows;
      run.batches = 1;
      runner.run(run);
      expected.push_back(runner.read_metrics().last_loss);
    }
    EXPECT_EQ(runner.losses(0, kBatches), expected);
    runner.clear_metrics();
    run.first = 0;
    run.batches = kBatches;
    runner.run(run);
    EXPECT_EQ(runner.losses(0, kBatches), expected);
    EXPECT_EQ(runner.losses(2, 1), std::vector{expected[2]});
    runner.clear_metrics();
    labels.upload(values.labels(kRows * kBatches, 3));
  }
}

// The learning rate makes the parameters so large that after some batches a loss is infinite or NaN.
TEST_P(LossLog, EndsBeforeTheFirstLossThatIsNotFinite) {
  const auto reports = train({.epochs = 1, .batch_size = 4, .learning_rate = 1e18, .log_every = 1});
  ASSERT_FALSE(reports.empty());
  for (const auto& report : reports) EXPECT_TRUE(std::isfinite(report.loss));
  EXPECT_THAT(diverged_,
              testing::HasSubstr("epoch 1, batch " + std::to_string(reports.size()) + ": the loss"));
}

INSTANTIATE_TEST_SUITE_P(Backends, LossLog, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
