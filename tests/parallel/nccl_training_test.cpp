// Training on several emulated GPUs, whose gradients NCCL adds, compared with training on one: the same
// numbers for any number of GPUs, and with ordered sums the same bits.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "host/model/initializer.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/train/trainer.hpp"
#include "tests/parallel/cuda_ranks.hpp"
#include "tests/support/checked_backend.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/files.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

struct CudaJob {
  std::string network = "784-12-10";
  TrainOptions options{.epochs = 2, .batch_size = 12, .learning_rate = 0.1, .log_every = 5};
  ProductKernels products = ProductKernels::kByShape;
};

struct CudaResult {
  std::vector<float> parameters, losses;
};

class LossRecorder final : public Report {
 public:
  explicit LossRecorder(std::vector<float>& losses) : losses_(losses) {}
  void loss(const LossReport& report) override { losses_.push_back(static_cast<float>(report.loss)); }

 private:
  std::vector<float>& losses_;
};

CudaResult train_rank(Communicator& communicator, const CudaJob& job) {
  const auto paths = find_dataset(sample_folder().string(), {});
  const Dataset training_set(paths.train_images, paths.train_labels);
  const Dataset test_set(paths.test_images, paths.test_labels);
  const TrainingData data{training_set, std::nullopt, test_set};
  CheckedBackend backend(cuda_rank(communicator, job.products));
  const auto plan = plan_network(parse_network(job.network), shape_of(training_set.sample_shape()));
  TorchGenerator generator(0);
  auto parameters = initial_parameters(plan, generator);
  Network network(backend, plan, {parameters, initial_state(plan)});
  CudaResult result;
  LossRecorder recorder(result.losses);
  Trainer trainer(backend, network, data, job.options, generator, recorder, {});
  trainer.run();
  result.parameters = trainer.parameters();
  return result;
}

// The result of rank 0, which all ranks have.
CudaResult train(int ranks, const CudaJob& job) {
  std::vector<CudaResult> results(static_cast<std::size_t>(ranks));
  run_ranks(ranks, [&](Communicator& communicator) {
    results[static_cast<std::size_t>(communicator.rank())] = train_rank(communicator, job);
  });
  for (const auto& other : results) {
    EXPECT_EQ(other.parameters, results.front().parameters);
    EXPECT_EQ(other.losses, results.front().losses);
  }
  EXPECT_FALSE(results.front().losses.empty());
  return results.front();
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
  std::function<void(CudaJob&)> change;
};

CudaJob job_of(const CudaCase& one) {
  CudaJob job;
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
    {"PlainSgd", [](CudaJob&) {}},
    {"OwnProducts", [](CudaJob& job) { job.products = ProductKernels::kOwn; }},
    {"Blas", [](CudaJob& job) { job.products = ProductKernels::kBlas; }},
    {"MomentumAndClipping",
     [](CudaJob& job) {
       job.options.optimizer = Sgd{.momentum = 0.9F};
       job.options.learning_rate = 0.02;
       job.options.clipping = {.norm = 0.5F};
     }},
    {"AdamWithDropout",
     [](CudaJob& job) {
       job.network = "linear(13),relu,dropout(0.3),linear(10)";
       job.options.optimizer = Adam{.eps = 1e-3F};  // a small one divides rounding errors by themselves
       job.options.learning_rate = 1e-3;
     }},
    {"Accumulated",
     [](CudaJob& job) {
       job.options.accumulate = 3;
       job.options.shuffle = true;
     }},
    {"LastBatchOfOneRow", [](CudaJob& job) { job.options.batch_size = 23; }},
    {"FewerRowsThanRanks",
     [](CudaJob& job) {
       job.options.batch_size = 3;
       job.options.epochs = 1;
     }},
};

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
                         testing::Values(CudaCase{
                             "Blas", [](CudaJob& job) { job.products = ProductKernels::kBlas; }}),
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
  CudaJob job;
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
