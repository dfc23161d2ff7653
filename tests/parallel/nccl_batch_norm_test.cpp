// Synchronized batch normalization on several emulated GPUs, in several orders of threads and streams.
#include <gtest/gtest.h>

#include <vector>

#include "tests/parallel/cuda_ranks.hpp"
#include "tests/parallel/sync_batch_norm.hpp"

namespace warpfit::test {
namespace {

using emulation::Config;

struct NormMode {
  Config::Order order;
  Config::Streams streams;
};

class NcclBatchNorm : public testing::TestWithParam<NormMode> {
 protected:
  void SetUp() override {
    Config config;
    config.order = GetParam().order;
    config.streams = GetParam().streams;
    config.seed = 5;
    WithCudaRanks::configure(config);
  }

 private:
  WithCudaRanks machine_;
};

TEST_P(NcclBatchNorm, ComputesWhatOneGpuComputes) {
  check_norm_of_all_ranks([](Communicator& communicator) { return cuda_rank(communicator); });
}

// 300 samples: a last batch of 3 rows leaves one of 4 ranks without rows.
TEST_P(NcclBatchNorm, TrainsLikeOneGpu) {
  RankJob job;
  job.backend = [](Communicator& communicator) { return cuda_rank(communicator); };
  job.options = {.epochs = 1, .batch_size = 27, .learning_rate = 0.05, .log_every = 3};
  job.network = "linear(12),batchnorm,relu,linear(11),batchnorm,relu,linear(10)";
  expect_training_of_one_rank(job, {2, 4});
  job.network = "batchnorm,maxpool(4),batchnorm,relu,linear(10)";
  job.options.batch_size = 43;  // 42 rows in the last batch
  job.options.accumulate = 2;
  expect_training_of_one_rank(job, {3});
  EXPECT_GT(emulation::statistics().rank_sums, 0);
  EXPECT_EQ(emulation::statistics().live_streams, 0);
}

INSTANTIATE_TEST_SUITE_P(Backends, NcclBatchNorm,
                         testing::Values(NormMode{Config::Order::kForward, Config::Streams::kEager},
                                         NormMode{Config::Order::kRandom, Config::Streams::kLazy},
                                         NormMode{Config::Order::kReverse, Config::Streams::kLazy}),
                         [](const auto& info) { return "cuda_mode_" + std::to_string(info.index); });

}  // namespace
}  // namespace warpfit::test
