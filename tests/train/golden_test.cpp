// Whole training runs against PyTorch's traces. The first epoch of each run here; WARPFIT_GOLDEN_EPOCHS sets
// more.
#include "tests/support/golden.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "host/model/initializer.hpp"
#include "host/train/trainer.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/files.hpp"

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

class GoldenRun : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  void SetUp() override {
    require_backend(std::get<0>(GetParam()), backend_);
    if (backend_) require_fashion_mnist();
  }

  std::unique_ptr<Backend> backend_;
};

TEST_P(GoldenRun, PrintsPyTorchsLosses) {
  const auto golden = read_golden(std::get<1>(GetParam()));
  const auto paths = find_dataset(fashion_mnist_folder().string(), {});
  const Dataset training_set(paths.train_images, paths.train_labels);
  const Dataset test_set(paths.test_images, paths.test_labels);
  const auto spec = parse_network(golden.network);
  TorchGenerator generator(golden.seed);
  const ParameterLayout layout(spec);
  const Network network(*backend_, spec, layout, initial_parameters(layout, generator));
  // A schedule shows from the second epoch on.
  const bool scheduled = !std::holds_alternative<Constant>(golden.schedule);
  const auto epochs = std::min<std::int64_t>(epochs_to_run() + (scheduled ? 2 : 0),
                                             static_cast<std::int64_t>(golden.epochs.size()));
  auto options = options_of(golden);
  options.epochs = epochs;
  Recorder recorder;
  Trainer(*backend_, network, {training_set, std::nullopt, test_set}, options, generator, recorder).run();

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
                         [](const auto& test) {
                           return std::get<0>(test.param) + "_" + std::get<1>(test.param);
                         });

}  // namespace
}  // namespace warpfit::test
