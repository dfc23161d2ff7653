// Memory and threads that the system refuses, at the start or later: exit code 7 with advice, never a crash.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "host/cpu/cpu_backend.hpp"
#include "host/parallel/thread_ranks.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/train/memory_estimate.hpp"
#include "host/train/operation_plan.hpp"
#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

class Resources : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  [[nodiscard]] static std::vector<std::string> train(const std::string& network,
                                                      const std::vector<std::string>& more = {}) {
    std::vector<std::string> all{"train",     "--data", sample_folder().string(),
                                 "--network", network,  "--epochs",
                                 "1",         "--lr",   "1e-4",
                                 "--threads", "2",      "--device",
                                 "cpu"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  // Runs the program with an address space of this many kilobytes.
  static Outcome run_within(int kilobytes, const std::vector<std::string>& arguments) {
    std::vector<std::string> all{"-c", fmt::format("ulimit -v {}; exec \"$0\" \"$@\"", kilobytes),
                                 program_path()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return Program(all, "/bin/sh").finish();
  }
  static void expect_done_or_out_of_memory(const Outcome& outcome) {
    EXPECT_THAT(outcome.exit_code, AnyOf(0, 7)) << outcome.error;
    if (outcome.exit_code != 7) return;
    EXPECT_THAT(outcome.error, HasSubstr("[error]"));
  }

  TemporaryFolder folder_;
};

// oneDNN called address 0 if it could not allocate memory for a kernel: exit code 139 with 80 and 150 MB.
TEST_F(Resources, MayBeAnyAmountOfMemory) {
  int done = 0;
  int refused = 0;
  for (int megabytes = 60; megabytes <= 260; megabytes += 10) {
    SCOPED_TRACE(megabytes);
    const auto outcome = run_within(megabytes * 1000, train("784-4-10"));
    expect_done_or_out_of_memory(outcome);
    ++(outcome.exit_code == 0 ? done : refused);
  }
  EXPECT_GT(done, 0);
  EXPECT_GT(refused, 0);
  for (const int megabytes : {300, 350, 400, 450}) {
    expect_done_or_out_of_memory(run_within(megabytes * 1000, train("784-2048-2048-10")));
  }
  const auto too_large = run_within(400'000, train("784-8192-8192-10"));
  EXPECT_EQ(too_large.exit_code, 7);
  EXPECT_THAT(too_large.error, HasSubstr("out of memory; try a smaller --batch-size or --network"));
}

TEST_F(Resources, MayBeAnyNumberOfThreads) {
  const auto model = path("model");
  ASSERT_EQ(run_warpfit(train("784-4-10", {"--save", model})).exit_code, 0);
  const auto images = (sample_folder() / "t10k-images-idx3-ubyte.gz").string();
  const std::vector<std::vector<std::string>> commands{
      train("784-4-10", {"--validation-split", "0.2"}),
      {"eval", model, "--data", sample_folder().string(), "--threads", "2"},
      {"predict", model, std::filesystem::exists(images) ? images : images.substr(0, images.size() - 3),
       "--threads", "2"}};
  int refused = 0;
  for (const auto& command : commands) {
    for (const char* threads : {"0", "1", "2", "3", "4", "5", "6"}) {
      SCOPED_TRACE(command.front() + " with " + threads);
      const auto outcome = run_warpfit(command, {"LD_PRELOAD=" WARPFIT_FAILING_CALLS,
                                                 std::string("WARPFIT_FAIL_THREADS_AFTER=") + threads});
      expect_done_or_out_of_memory(outcome);
      if (outcome.exit_code != 7) continue;
      ++refused;
      EXPECT_THAT(outcome.error, HasSubstr("cannot start the thread that reads data"));
      EXPECT_THAT(outcome.out, testing::IsEmpty()) << "not before the run began";
    }
  }
  EXPECT_GT(refused, 2);
}

// 8 TB, more than any machine has.
TEST_F(Resources, AreComparedWithWhatARunNeeds) {
  const auto outcome = run_warpfit(train("784-1000000-1000000-10"));
  EXPECT_EQ(outcome.exit_code, 7) << outcome.error;
  EXPECT_THAT(outcome.error, HasSubstr("this run needs about 8"));
  EXPECT_THAT(outcome.error, HasSubstr("try a smaller --network or --batch-size"));
  EXPECT_THAT(run_warpfit(train("784-4-10")).error, testing::Not(HasSubstr("this run needs")));
}

TEST_F(Resources, AreEstimatedAsARunTakesThem) {
  constexpr std::int64_t kWidth = 2048;
  const auto network = plan_network(multilayer_perceptron({784, kWidth, kWidth, 10}));
  const auto network_text = fmt::format("784-{}-{}-10", kWidth, kWidth);
  const auto expect_near = [&](const Outcome& outcome, const TrainOptions& options, bool saves) {
    ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
    const CpuBackend backend(2);
    const double estimate =
        static_cast<double>(estimated_memory(network, options, {{64}, {64}}, backend, saves)) / 1024;
    EXPECT_NEAR(estimate / static_cast<double>(outcome.peak_kilobytes), 1, 0.25)
        << outcome.peak_kilobytes << " kB";
  };
  TrainOptions options{.batch_size = 64};
  expect_near(run_warpfit(train(network_text)), options, false);
  expect_near(run_warpfit(train(network_text, {"--run-dir", path("sgd")})), options, true);
  options.optimizer = Adam{};
  expect_near(run_warpfit(train(network_text, {"--optimizer", "adam", "--run-dir", path("adam")})), options,
              true);
  options.muon = Muon{};
  expect_near(run_warpfit(train(network_text, {"--optimizer", "muon", "--run-dir", path("muon")})), options,
              true);
}

// GELU keeps its input in separate memory; ReLU does not.
TEST(MemoryEstimate, CountsTheValuesThatAStepKeeps) {
  const auto estimate = [](ActivationKind kind) {
    const auto plan = plan_network({{Linear{100}, Activation{kind}, Linear{10}}, 784});
    return estimated_memory(plan, {}, {{64}, {64}}, CpuBackend(1), false);
  };
  EXPECT_EQ(estimate(ActivationKind::kGelu) - estimate(ActivationKind::kRelu), 64U * 2 * 100 * sizeof(float));
}

// Each thread has the weights and their gradient in oneDNN's format, and the gradient in ours: most of the
// memory of these layers.
TEST_F(Resources, AreEstimatedForConvolutionsAsARunTakesThem) {
  const std::string text =
      "maxpool(14),conv(512,3,padding=1),relu,conv(768,3,padding=1),relu,globalavgpool,linear(10)";
  const auto network = plan_network(parse_network(text), {1, 28, 28});
  const auto outcome = run_warpfit(train(text, {"--batch-size", "48"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const auto paths = find_dataset(sample_folder().string(), {});
  const Dataset training(paths.train_images, paths.train_labels), test(paths.test_images, paths.test_labels);
  const auto batches = batch_sizes({.batch_size = 48}, {training, std::nullopt, test}, {SingleRank(), false});
  const auto bytes = [&](int threads) {
    return static_cast<double>(estimated_memory(network, {}, batches, CpuBackend(threads), false)) / 1024;
  };
  EXPECT_NEAR(bytes(2) / static_cast<double>(outcome.peak_kilobytes), 1, 0.1)
      << outcome.peak_kilobytes << " kB";
  EXPECT_GT(bytes(2), 1.5 * bytes(1));
}

TEST(BatchSizes, AreThoseOfEachSetWithItsLastBatch) {
  const TemporaryFolder folder;
  const Dataset samples(folder.add("images", idx({12, 1}, Bytes(12))),
                        folder.add("labels", idx({12}, Bytes(12))));
  const auto sizes = [&](std::int64_t batch_size, const TrainingData& data) {
    const auto [training, evaluation] = batch_sizes({.batch_size = batch_size}, data, {SingleRank(), false});
    return std::pair(training, evaluation);
  };
  using Sizes = std::vector<std::int64_t>;
  const TrainingData data{Subset(samples, 0, 9), Subset(samples, 9, 3), samples};
  EXPECT_EQ(sizes(4, data), std::pair(Sizes({4, 1}), Sizes({4, 3})));
  EXPECT_EQ(sizes(9, data), std::pair(Sizes({9}), Sizes({9, 3, 3})));
  EXPECT_EQ(sizes(100, {samples, std::nullopt, samples}), std::pair(Sizes({12}), Sizes({12})));
}

TEST(MemoryEstimate, CountsTheIndicesOfMaxima) {
  const auto plan = plan_network(parse_network("maxpool(2),linear(10)"), {1, 8, 8});
  const auto estimate = [&](const BatchSizes& batches) {
    return estimated_memory(plan, {}, batches, CpuBackend(1), false);
  };
  EXPECT_EQ(estimate({{5, 2}, {5, 3, 4}}) - estimate({{5}, {5}}), (2U + 3 + 4) * 16 * sizeof(std::int32_t));
}

TEST(MemoryEstimate, CountsWhatRanksExchangeForBatchNormalization) {
  constexpr std::uint64_t kRanks = 3, kChannels = 50;
  const auto plan = plan_network(parse_network("linear(50),batchnorm,linear(10)"), {1, 8, 8});
  run_ranks(kRanks, [&](Communicator& communicator) {
    const CpuBackend backend(1, &communicator);
    TrainOptions options;
    const auto local = estimated_memory(plan, options, {{6, 2}, {6}}, backend, false);
    options.sync_batch_norm = true;
    const auto floats = kRanks * (1 + 2 * kChannels) + 2 * kChannels;
    EXPECT_EQ(estimated_memory(plan, options, {{6, 2}, {6}}, backend, false) - local,
              2 * floats * sizeof(float));
  });
}

TEST(MemoryEstimate, CountsTheStepsOfAccumulation) {
  const auto plan = plan_network(parse_network("conv(64,3),globalavgpool"), {64, 8, 8});
  const CpuBackend backend(1);
  const auto estimate = [&](std::int64_t accumulate) {
    TrainOptions options;
    options.accumulate = accumulate;
    options.fuse_update = false;
    return estimated_memory(plan, options, {{4}, {4}}, backend, false);
  };
  const auto planned = plan_operations(plan, 0).operations;
  const auto is_conv = [](const auto& each) { return std::holds_alternative<ConvOperation>(each.operation); };
  const auto conv = backend.host_bytes(*std::ranges::find_if(planned, is_conv), 4, true);
  const auto parameters = static_cast<std::uint64_t>(plan.parameters()) * sizeof(float);
  EXPECT_GE(conv, parameters / 2);
  EXPECT_EQ(estimate(2) - estimate(1), conv + parameters);
}

TEST_F(Resources, SufficeToResumeIfTheySufficedToTrain) {
  auto command =
      train("784-2048-2048-10", {"--optimizer", "adam", "--run-dir", path("run"), "--checkpoint-every", "3"});
  const auto trained = run_warpfit(command);
  ASSERT_EQ(trained.exit_code, 0) << trained.error;
  std::filesystem::remove(
      path("run/checkpoints/step_000000000005.safetensors"));  // so that the run is not complete
  const auto resumed = run_warpfit({"resume", path("run")});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.error;
  EXPECT_THAT(resumed.error, HasSubstr("resumed at epoch 1, batch 3"));
  EXPECT_LE(static_cast<double>(resumed.peak_kilobytes), 1.1 * static_cast<double>(trained.peak_kilobytes));
}

// A gzip file of 972 KB decompresses to a billion labels, but there are only three images: the mismatch is
// found by comparing the headers alone.
TEST_F(Resources, AreNotSpentOnHeadersThatDoNotFit) {
  constexpr std::uint32_t kMany = 1'000'000'000;
  folder_.add("train-images-idx3-ubyte", idx({3, 28, 28}, Bytes(3 * 784)));
  folder_.add("train-labels-idx1-ubyte.gz", gzip(idx({kMany}, {}), kMany));
  folder_.add("t10k-images-idx3-ubyte", idx({3, 28, 28}, Bytes(3 * 784)));
  folder_.add("t10k-labels-idx1-ubyte", idx({3}, {0, 1, 2}));
  const auto expect_refused = [](const Outcome& outcome, int exit_code) {
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.error;
    EXPECT_LT(outcome.seconds, 1);
    EXPECT_LT(outcome.peak_kilobytes, 64 * 1024);
  };
  expect_refused(run_warpfit({"train", "--data", folder_.path().string(), "--device", "cpu"}), 3);

  // Three billion samples of one byte in a sparse file, which takes no space on the disk.
  const auto images = folder_.add("sparse", idx({3'000'000'000, 1}, {}));
  std::filesystem::resize_file(images, 3'000'000'012);
  expect_refused(
      run_warpfit({"train", "--data", folder_.path().string(), "--train-images", images, "--device", "cpu"}),
      3);
  const auto model = path("model");
  ASSERT_EQ(run_warpfit(train("784-4-10", {"--save", model})).exit_code, 0);
  expect_refused(run_warpfit({"predict", model, images}), 2);
}

}  // namespace
}  // namespace warpfit::test
