// Gradient accumulation: updates with the gradients of several batches, compared with a PyTorch loop that
// divides each batch's loss by their number.
#include <gtest/gtest.h>

#include <optional>
#include <vector>

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

class LossReports final : public Report {
 public:
  void loss(const LossReport& report) override { reports.push_back(report); }
  void epoch_ended(const EpochReport&) override {}

  std::vector<LossReport> reports;
};

class Accumulate : public OnEachBackend {
 protected:
  // The parameters after a run over 300 samples.
  std::vector<float> train(const TrainOptions& options) {
    const auto paths = find_dataset(sample_folder().string(), {});
    const Dataset training_set(paths.train_images, paths.train_labels);
    const Dataset test_set(paths.test_images, paths.test_labels);
    const auto plan = plan_network(multilayer_perceptron({784, 12, 10}));
    TorchGenerator generator(0);
    Network network(*backend_, plan, initial_parameters(plan, generator));
    LossReports report;
    Trainer trainer(*backend_, network, {training_set, std::nullopt, test_set}, options, generator, report);
    EXPECT_EQ(trainer.run(), StopReason::kCompleted);
    reports_ = report.reports;
    return trainer.parameters();
  }

  static TrainOptions options(std::int64_t batch_size, std::int64_t accumulate) {
    return {.epochs = 2,
            .batch_size = batch_size,
            .learning_rate = 0.1,
            .clipping = {.norm = 1},
            .optimizer = Sgd{.momentum = 0.5F},
            .accumulate = accumulate,
            .log_every = 1};
  }

  void expect_close(const std::vector<float>& actual, const std::vector<float>& expected) {
    EXPECT_TRUE(all_close(actual, Doubles(expected.begin(), expected.end()), {1e-5, 1e-4}));
  }

  std::vector<LossReport> reports_;  // of the last run
};

TEST_P(Accumulate, OfBatchesIsAsOneThatHasThemAll) {
  expect_close(train(options(25, 3)), train(options(75, 1)));
}

// One batch per epoch: the update uses half of its gradient.
TEST_P(Accumulate, EndsWithTheEpoch) {
  auto half = options(300, 2);
  half.clipping = {};
  auto whole = options(300, 1);
  whole.clipping = {};
  whole.learning_rate /= 2;
  expect_close(train(half), train(whole));
}

TEST_P(Accumulate, CountsAllBatchesAndReportsNormsOfUpdates) {
  train(options(64, 2));
  ASSERT_EQ(reports_.size(), 10U);
  for (std::size_t i = 0; i < reports_.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(reports_[i].step, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(reports_[i].gradient_norm.has_value(), i % 5 % 2 == 1 || i % 5 == 4);
  }
}

// Even if only the loss of a batch without an update is not finite.
TEST_P(Accumulate, SeesLossesThatAreNotFinite) {
  auto diverging = options(50, 6);
  diverging.learning_rate = 1e30;
  diverging.clipping = {};
  EXPECT_THROW(train(diverging), DivergedError);
}

INSTANTIATE_TEST_SUITE_P(Backends, Accumulate, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
