// Training on several emulated GPUs, whose gradients NCCL adds, compared with training on one: the same
// numbers for any number of GPUs, and with ordered sums the same bits.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/parallel/cuda_ranks.hpp"
#include "tests/parallel/rank_training.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

struct CudaResult {
  std::vector<float> parameters, losses;
};

void use(RankJob& job, ProductKernels products) {
  job.backend = [products](Communicator& communicator) { return cuda_rank(communicator, products); };
}

RankJob cuda_job() {
  RankJob job;
  job.options = {.epochs = 2, .batch_size = 12, .learning_rate = 0.1, .log_every = 5};
  use(job, ProductKernels::kByShape);
  return job;
}

// The result of rank 0, which all ranks have.
CudaResult train(int ranks, const RankJob& job) {
  const auto result = train_on_ranks(ranks, job);
  CudaResult losses{result.parameters, {}};
  for (const auto& report : result.reports.losses) losses.losses.push_back(static_cast<float>(report.loss));
  EXPECT_FALSE(losses.losses.empty());
  return losses;
}

testing::AssertionResult close(const std::vector<float>& actual, const std::vector<float>& expected) {
  return all_close(actual, Doubles(expected.begin(), expected.end()), {1e-5, 1e-5});
}

void expect_like(const CudaResult& actual, const CudaResult& expected) {
  EXPECT_TRUE(close(actual.parameters, expected.parameters));
  EXPECT_TRUE(close(actual.losses, expected.losses));
}

struct CudaCase {
  std::string name;
  std::function<void(RankJob&)> change;
};

RankJob job_of(const CudaCase& one) {
  auto job = cuda_job();
  one.change(job);
  return job;
}

std::string case_name(const testing::TestParamInfo<CudaCase>& info) { return "cuda_" + info.param.name; }

class NcclTraining : public testing::TestWithParam<CudaCase> {
 private:
  WithCudaRanks machine_;
};

// 300 samples: 50 steps, or 75 whose batches of 4 give each of 4 ranks one row.
TEST_P(NcclTraining, IsLikeThatOfOneGpu) {
  const auto job = job_of(GetParam());
  const auto alone = train(1, job);
  for (const int ranks : {2, 4}) {
    SCOPED_TRACE(testing::Message() << ranks << " ranks");
    expect_like(train(ranks, job), alone);
  }
  EXPECT_GT(emulation::statistics().rank_sums, 0);
  EXPECT_EQ(emulation::statistics().live_streams, 0);
}

const std::vector<CudaCase> kCases{
    {"PlainSgd", [](RankJob&) {}},
    {"OwnProducts", [](RankJob& job) { use(job, ProductKernels::kOwn); }},
    {"Blas", [](RankJob& job) { use(job, ProductKernels::kBlas); }},
    {"MomentumAndClipping",
     [](RankJob& job) {
       job.options.optimizer = Sgd{.momentum = 0.9F};
       job.options.learning_rate = 0.02;
       job.options.clipping = {.norm = 0.5F};
     }},
    {"AdamWithDropout",
     [](RankJob& job) {
       job.network = "linear(13),relu,dropout(0.3),linear(10)";
       job.options.optimizer = Adam{.eps = 1e-3F};  // a small one divides rounding errors by themselves
       job.options.learning_rate = 1e-3;
     }},
    {"Accumulated",
     [](RankJob& job) {
       job.options.accumulate = 3;
       job.options.shuffle = true;
     }},
    {"LastBatchOfOneRow", [](RankJob& job) { job.options.batch_size = 23; }},
    {"FewerRowsThanRanks",
     [](RankJob& job) {
       job.options.batch_size = 3;
       job.options.epochs = 1;
     }},
};

// --parallel nccl: the gradients of one rank pass through NCCL, and stay as they are.
TEST_P(NcclTraining, OfOneRankHasTheSameBits) {
  auto job = job_of(GetParam());
  job.options.fuse_update = false;
  const auto alone = train(1, job);
  const auto before = emulation::statistics().rank_sums;
  SingleRank rank(true);
  const auto summed = train_rank(rank, job);
  EXPECT_EQ(summed.parameters, alone.parameters);
  EXPECT_GT(emulation::statistics().rank_sums, before);
  EXPECT_EQ(emulation::statistics().live_streams, 0);
  ASSERT_EQ(summed.reports.losses.size(), alone.losses.size());
  for (std::size_t i = 0; i < alone.losses.size(); ++i)
    EXPECT_EQ(static_cast<float>(summed.reports.losses[i].loss), alone.losses[i]);
}

INSTANTIATE_TEST_SUITE_P(Backends, NcclTraining, testing::ValuesIn(kCases), case_name);

class NcclBuckets : public testing::TestWithParam<CudaCase> {
 private:
  WithCudaRanks machine_;
};

// The gradients of the second and third layer are one bucket, those of the first layer another.
TEST_P(NcclBuckets, AreAddedDuringTheBackwardPass) {
  auto job = job_of(GetParam());
  job.network = "784-1100-1100-10";
  job.options.batch_size = 60;
  job.options.epochs = 1;
  const auto alone = train(1, job);
  const auto before = emulation::statistics().rank_sums;
  expect_like(train(2, job), alone);
  EXPECT_EQ(emulation::statistics().rank_sums - before, 2 * 5 * 2);
}

INSTANTIATE_TEST_SUITE_P(Backends, NcclBuckets,
                         testing::Values(CudaCase{"Blas",
                                                  [](RankJob& job) { use(job, ProductKernels::kBlas); }}),
                         case_name);

class NcclOrderedSums : public testing::TestWithParam<CudaCase> {
 private:
  WithCudaRanks machine_;
};

TEST_P(NcclOrderedSums, GiveTheSameBitsForAnyNumberOfGpus) {
  auto job = job_of(GetParam());
  job.options.ordered_sums = true;
  job.options.epochs = 1;
  const auto alone = train(1, job);
  for (const int ranks : {2, 4}) {
    SCOPED_TRACE(testing::Message() << ranks << " ranks");
    const auto together = train(ranks, job);
    EXPECT_EQ(together.parameters, alone.parameters);
    expect_like(together, alone);
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, NcclOrderedSums,
                         testing::Values(kCases[0], kCases[3], kCases[4], kCases[5], kCases[6]), case_name);

struct Mode {
  emulation::Config::Order order;
  emulation::Config::Streams streams;
  unsigned seed;
};

class NcclModes : public testing::TestWithParam<Mode> {
 private:
  WithCudaRanks machine_;
};

TEST_P(NcclModes, GiveTheSameResult) {
  const auto [order, streams, seed] = GetParam();
  emulation::Config config;
  config.order = order;
  config.streams = streams;
  config.seed = seed;
  WithCudaRanks::configure(config);
  auto job = cuda_job();
  job.options.epochs = 1;
  job.options.batch_size = 60;
  const auto alone = train(1, job);
  expect_like(train(3, job), alone);
  job.options.ordered_sums = true;
  EXPECT_EQ(train(2, job).parameters, train(1, job).parameters);
}

using emulation::Config;
INSTANTIATE_TEST_SUITE_P(Backends, NcclModes,
                         testing::Values(Mode{Config::Order::kForward, Config::Streams::kEager, 1},
                                         Mode{Config::Order::kForward, Config::Streams::kLazy, 1},
                                         Mode{Config::Order::kReverse, Config::Streams::kEager, 1},
                                         Mode{Config::Order::kReverse, Config::Streams::kLazy, 1},
                                         Mode{Config::Order::kRandom, Config::Streams::kEager, 1},
                                         Mode{Config::Order::kRandom, Config::Streams::kLazy, 2},
                                         Mode{Config::Order::kRandom, Config::Streams::kLazy, 3},
                                         Mode{Config::Order::kRandom, Config::Streams::kLazy, 4}),
                         [](const auto& info) { return "mode_" + std::to_string(info.index); });

}  // namespace
}  // namespace warpfit::test
