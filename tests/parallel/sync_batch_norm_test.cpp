// Synchronized batch normalization on CPU ranks, which are threads.
#include "tests/parallel/sync_batch_norm.hpp"

#include "host/base/error.hpp"
#include "tests/support/sanitizers.hpp"

namespace warpfit::test {
namespace {

TEST(SyncBatchNorm, ComputesWhatOneRankComputes) {
  check_norm_of_all_ranks([](Communicator& communicator) {
    return std::make_unique<CpuBackend>(communicator.rank() % 2 + 1, &communicator);
  });
}

class SyncBatchNormTraining : public testing::TestWithParam<NormTraining> {};

TEST_P(SyncBatchNormTraining, IsThatOfOneRank) {
  RankJob job;
  GetParam().change(job);
  expect_training_of_one_rank(job, kSanitized ? std::vector{3} : std::vector{2, 3, 5});
}

const std::vector<NormTraining> kTrainings{
    {"Vectors", [](RankJob& job) { job.network = "linear(12),batchnorm,relu,linear(10)"; }},
    {"FirstLayer",
     [](RankJob& job) {
       job.network = "batchnorm,flatten,linear(12),batchnorm,relu,linear(10)";
       job.options.optimizer = Sgd{.momentum = 0.9F};
       job.options.learning_rate = 0.01;
     }},
    {"OneRowOfEachRank",  // of 5 ranks
     [](RankJob& job) {
       job.network = "linear(12),batchnorm,relu,linear(10)";
       job.options.batch_size = 5;
       job.options.learning_rate = 0.01;
       job.options.epochs = 1;
     }},
    {"LastBatchOfOneRow",
     [](RankJob& job) {
       job.network = "conv(4,5),batchnorm,relu,maxpool(4),linear(10)";
       job.options.batch_size = 23;
     }},
    {"RanksWithoutRows",
     [](RankJob& job) {
       job.network = "conv(4,5),batchnorm,relu,conv(6,5),batchnorm,relu,globalavgpool,linear(10)";
       job.options.batch_size = 4;
       job.options.epochs = 1;
       job.options.learning_rate = 0.01;
     }},
    {"AccumulatedAndShuffled",
     [](RankJob& job) {
       job.network = "linear(12),batchnorm,relu,linear(10)";
       job.options.accumulate = 5;
       job.options.shuffle = true;
     }},
    {"SeveralBuckets",
     [](RankJob& job) {
       job.network = "linear(1100),batchnorm,relu,linear(1100),batchnorm,relu,linear(10)";
       job.options.batch_size = 99;  // 3 rows in the last batch
       job.options.learning_rate = 0.001;
       job.options.epochs = 1;
     }},
};

INSTANTIATE_TEST_SUITE_P(Cases, SyncBatchNormTraining, testing::ValuesIn(kTrainings),
                         [](const auto& info) { return info.param.name; });

TEST(SyncBatchNorm, ChangesNothingOnOneRank) {
  RankJob job;
  job.network = "linear(12),batchnorm,relu,linear(10)";
  const auto local = train_on_ranks(1, job);
  job.options.sync_batch_norm = true;
  const auto synchronized = train_on_ranks(1, job);
  EXPECT_EQ(synchronized.parameters, local.parameters);
  EXPECT_EQ(synchronized.state, local.state);
}

TEST(SyncBatchNorm, RefusesBatchesOfOneSample) {
  RankJob job;
  job.network = "linear(12),batchnorm,relu,linear(10)";
  job.options.sync_batch_norm = true;
  const auto error_of = [&] {
    try {
      train_on_ranks(2, job);
      return std::string("no error");
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
  };
  job.options.batch_size = 23;
  EXPECT_EQ(
      error_of(),
      "--batch-size 23: the last batch of 300 samples has one sample, but batch normalization of vectors "
      "needs two or more in training");
  job.options.ordered_sums = true;
  EXPECT_EQ(error_of().find("--reduce ordered: the network has batch normalization"), 0U);
  job.options.ordered_sums = job.options.sync_batch_norm = false;
  job.options.batch_size = 3;
  EXPECT_EQ(
      error_of(),
      "--batch-size 3: a process gets one sample of a batch, but batch normalization of vectors needs two "
      "or more in training; --sync-batchnorm normalizes the samples of all processes together");
}

}  // namespace
}  // namespace warpfit::test
