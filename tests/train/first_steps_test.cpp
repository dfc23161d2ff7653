// The first 101 batches of PyTorch's traces, on every backend and residency: as much as an emulated GPU
// trains in seconds. With our own matrix product kernels, which take ten times as long there, the first 40
// batches.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "host/model/initializer.hpp"
#include "host/run/make_backend.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/train/trainer.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/files.hpp"
#include "tests/support/golden_training.hpp"
#include "tests/support/losses.hpp"
#include "tests/support/sanitizers.hpp"

namespace warpfit::test {
namespace {

constexpr double kTolerance = 5e-5;
constexpr std::int64_t kBatches = kThreadSanitizer ? 21 : 101;
constexpr std::int64_t kOwnBatches = std::min<std::int64_t>(kBatches, 41);

// The first `count` samples of an IDX file, as a new file.
std::string first_samples(const TemporaryFolder& folder, const std::string& path, std::int64_t count) {
  const IdxFile file(path, 1, 4);
  Bytes elements(static_cast<std::size_t>(count * file.sample_size()));
  file.read(0, elements);
  std::vector<std::uint32_t> dimensions(file.dimensions().begin(), file.dimensions().end());
  dimensions.front() = static_cast<std::uint32_t>(count);
  return folder.add(std::filesystem::path(path).filename().stem().string(), idx(dimensions, elements));
}

class FirstSteps : public testing::TestWithParam<std::tuple<std::string, Residency, bool>> {
 protected:
  void SetUp() override {
    require_backend(std::get<0>(GetParam()), backend_);
    if (backend_) require_fashion_mnist();
  }

  static std::int64_t batches() { return std::get<0>(GetParam()) == "cuda_own" ? kOwnBatches : kBatches; }

  std::vector<float> train(Backend& backend, const Golden& golden, Residency residency, bool fuse_update) {
    const TemporaryFolder folder;
    const auto paths = find_dataset(fashion_mnist_folder().string(), {});
    const auto samples = batches() * golden.batch_size;
    const Dataset training_set(first_samples(folder, paths.train_images, samples),
                               first_samples(folder, paths.train_labels, samples));
    const Dataset test_set(first_samples(folder, paths.test_images, 100),
                           first_samples(folder, paths.test_labels, 100));
    const auto spec = parse_network(golden.network);
    TorchGenerator generator(golden.seed);
    const auto plan = plan_network(spec);
    Network network(backend, plan, initial_parameters(plan, generator));
    TrainOptions options{.epochs = 1, .batch_size = golden.batch_size, .learning_rate = golden.learning_rate};
    options.fuse_update = fuse_update;
    options.residency = residency;
    options.log_every = 1;
    Losses losses;
    Trainer(backend, network, {training_set, std::nullopt, test_set}, options, generator, losses).run();
    return losses.values;
  }

  std::unique_ptr<Backend> backend_;
};

TEST_P(FirstSteps, ArePyTorchs) {
  const auto [name, residency, fuse_update] = GetParam();
  const auto golden = read_golden("tutorial_seed0");
  const auto losses = train(*backend_, golden, residency, fuse_update);
  ASSERT_EQ(static_cast<std::int64_t>(losses.size()), batches());
  for (const auto& [seen, loss] : golden.epochs.front().losses) {
    const auto batch = seen / golden.batch_size;
    if (batch >= batches()) break;
    EXPECT_NEAR(losses[batch], loss, kTolerance) << "batch " << batch;
  }

  const auto cpu = make_backend({.device = {DeviceChoice::Kind::kCpu}});
  const auto reference = train(*cpu, golden, Residency::kStream, true);
  EXPECT_TRUE(all_close(losses, std::vector<double>(reference.begin(), reference.end()), {kTolerance, 0}));
}

INSTANTIATE_TEST_SUITE_P(Backends, FirstSteps,
                         testing::Combine(testing::ValuesIn(gemm_backend_names()),
                                          testing::Values(Residency::kStream, Residency::kResident),
                                          testing::Bool()),
                         [](const auto& test) {
                           const bool resident = std::get<1>(test.param) == Residency::kResident;
                           return std::get<0>(test.param) + (resident ? "_resident" : "_stream") +
                                  (std::get<2>(test.param) ? "_fused" : "_separate");
                         });

// The remaining traces, each with its loss, optimizer, sample order and schedule, streamed.
using FirstStepsOfTraces = GoldenTraining;

TEST_P(FirstStepsOfTraces, ArePyTorchs) {
  const auto golden = this->golden();
  auto options = options_of(golden);
  options.residency = Residency::kStream;
  options.log_every = 1;
  Losses losses;
  TrainerHooks hooks;
  hooks.should_stop = [&losses] { return static_cast<std::int64_t>(losses.values.size()) >= kBatches; };
  train(golden, options, losses, hooks);
  for (const auto& [seen, loss] : golden.epochs.front().losses) {
    const auto batch = static_cast<std::size_t>(seen / golden.batch_size);
    if (batch >= losses.values.size()) break;
    EXPECT_NEAR(losses.values[batch], loss, golden.first_losses) << "batch " << batch;
  }
}

std::vector<std::string> other_goldens() {
  auto names = golden_names();
  std::erase(names, "tutorial_seed0");
  return names;
}

INSTANTIATE_TEST_SUITE_P(Backends, FirstStepsOfTraces,
                         testing::Combine(testing::ValuesIn(gemm_backend_names()),
                                          testing::ValuesIn(other_goldens())),
                         trace_name);

}  // namespace
}  // namespace warpfit::test
