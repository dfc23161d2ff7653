// Whole training runs compared with PyTorch's traces. Only the first epoch of each run is trained;
// WARPFIT_GOLDEN_EPOCHS sets more.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "host/model/initializer.hpp"
#include "host/train/trainer.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/files.hpp"
#include "tests/support/golden_training.hpp"

namespace warpfit::test {
namespace {

class Recorder final : public Report {
 public:
  void epoch_started(std::int64_t) override { epochs.emplace_back(); }
  void loss(const LossReport& report) override {
    epochs.back().losses.emplace_back(report.seen, report.loss);
  }
  void epoch_ended(const EpochReport& report) override {
    epochs.back().correct = report.test.correct;
    epochs.back().test_loss = report.test.loss;
  }

  std::vector<GoldenEpoch> epochs;
};

std::int64_t epochs_to_run() {
  const char* given = std::getenv("WARPFIT_GOLDEN_EPOCHS");
  return given != nullptr ? std::stoll(given) : 1;
}

using GoldenRun = GoldenTraining;

TEST_P(GoldenRun, PrintsPyTorchsLosses) {
  const auto golden = this->golden();
  // A schedule takes effect from the second epoch on.
  const bool scheduled = !std::holds_alternative<Constant>(golden.schedule);
  const auto epochs = std::min<std::int64_t>(epochs_to_run() + (scheduled ? 2 : 0),
                                             static_cast<std::int64_t>(golden.epochs.size()));
  auto options = options_of(golden);
  options.epochs = epochs;
  Recorder recorder;
  train(golden, options, recorder);

  ASSERT_EQ(static_cast<std::int64_t>(recorder.epochs.size()), epochs);
  for (std::size_t e = 0; e < recorder.epochs.size(); ++e) {
    const auto& ours = recorder.epochs[e];
    const auto& theirs = golden.epochs[e];
    ASSERT_EQ(ours.losses.size(), theirs.losses.size()) << "epoch " << e + 1;
    for (std::size_t i = 0; i < ours.losses.size(); ++i) {
      EXPECT_EQ(ours.losses[i].first, theirs.losses[i].first);
      const bool first = e == 0 && ours.losses[i].first <= 100 * golden.batch_size;
      EXPECT_NEAR(ours.losses[i].second, theirs.losses[i].second,
                  first ? golden.first_losses : golden.later_losses)
          << "epoch " << e + 1 << ", sample " << ours.losses[i].first;
    }
    EXPECT_NEAR(ours.test_loss, theirs.test_loss, golden.later_losses) << "epoch " << e + 1;
    EXPECT_LE(std::abs(ours.correct - theirs.correct), golden.correct) << "epoch " << e + 1;
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, GoldenRun,
                         testing::Combine(testing::ValuesIn(backend_names()),
                                          testing::ValuesIn(golden_names())),
                         trace_name);

}  // namespace
}  // namespace warpfit::test
