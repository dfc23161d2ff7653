// Training on several ranks, which are threads here, compared with training on one: the same numbers for any
// number of ranks, and with ordered sums the same bits.
#include <gtest/gtest.h>

#include <mutex>
#include <vector>

#include "host/base/error.hpp"
#include "tests/parallel/rank_training.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/reference.hpp"
#include "tests/support/sanitizers.hpp"

namespace warpfit::test {
namespace {

void expect_same_result(const Result& actual, const Result& expected, double tolerance) {
  EXPECT_EQ(actual.samples, expected.samples);
  EXPECT_NEAR(actual.loss, expected.loss, tolerance);
  EXPECT_NEAR(static_cast<double>(actual.correct), static_cast<double>(expected.correct), 1);
}

// Sums are rounded in another order or, with fewer rows, computed by another product kernel. Nothing else
// differs.
void expect_like(const RankResult& actual, const RankResult& expected, double tolerance = 2e-5) {
  EXPECT_TRUE(all_close(actual.parameters, Doubles(expected.parameters.begin(), expected.parameters.end()),
                        {tolerance, 10 * tolerance}));
  ASSERT_EQ(actual.reports.losses.size(), expected.reports.losses.size());
  for (std::size_t i = 0; i < expected.reports.losses.size(); ++i) {
    const auto& a = actual.reports.losses[i];
    const auto& e = expected.reports.losses[i];
    EXPECT_EQ(a.seen, e.seen);
    EXPECT_EQ(a.step, e.step);
    EXPECT_EQ(a.trained, e.trained);
    EXPECT_NEAR(a.loss, e.loss, tolerance) << "report " << i;
  }
  ASSERT_EQ(actual.reports.epochs.size(), expected.reports.epochs.size());
  for (std::size_t i = 0; i < expected.reports.epochs.size(); ++i) {
    const auto& a = actual.reports.epochs[i];
    const auto& e = expected.reports.epochs[i];
    EXPECT_EQ(a.trained, e.trained);
    expect_same_result(a.training, e.training, tolerance);
    expect_same_result(a.test, e.test, tolerance);
    ASSERT_EQ(a.validation.has_value(), e.validation.has_value());
    if (a.validation) expect_same_result(*a.validation, *e.validation, tolerance);
  }
}

RankJob with(const std::function<void(RankJob&)>& change) {
  RankJob job;
  change(job);
  return job;
}

struct TrainingCase {
  std::string name;
  std::function<void(RankJob&)> change;
};

class Ranks : public testing::TestWithParam<TrainingCase> {};

// 300 samples in batches of 25, 7 (the last one of 6) or 4: 5 ranks share the last ones unevenly or have
// none.
TEST_P(Ranks, TrainLikeOne) {
  const auto job = with(GetParam().change);
  const auto alone = train_on_ranks(1, job);
  ASSERT_FALSE(alone.reports.losses.empty());
  for (const int ranks : kSanitized ? std::vector{3} : std::vector{2, 3, 5}) {
    SCOPED_TRACE(testing::Message() << ranks << " ranks");
    expect_like(train_on_ranks(ranks, job), alone);
  }
}

const std::vector<TrainingCase> kCases{
    {"PlainSgd", [](RankJob&) {}},
    {"BatchOf7", [](RankJob& job) { job.options.batch_size = 7; }},
    {"BatchOf4", [](RankJob& job) { job.options.batch_size = 4; }},
    {"OneBatch", [](RankJob& job) { job.options.batch_size = 1000; }},
    {"Shuffled",
     [](RankJob& job) {
       job.options.shuffle = true;
       job.options.batch_size = 64;
     }},
    {"Resident", [](RankJob& job) { job.options.residency = Residency::kResident; }},
    {"ResidentShuffled",
     [](RankJob& job) {
       job.options.residency = Residency::kResident;
       job.options.shuffle = true;
     }},
    {"SmallChunks",
     [](RankJob& job) {
       job.options.batch_size = 7;
       job.options.device_memory_limit = 60'000;
     }},
    {"SmallChunksOf4",
     [](RankJob& job) {
       job.options.batch_size = 4;
       job.options.device_memory_limit = 40'000;
       job.options.log_every = 1000;
     }},
    {"Momentum", [](RankJob& job) { job.options.optimizer = Sgd{.momentum = 0.9F, .nesterov = true}; }},
    {"Adam",
     [](RankJob& job) {
       job.options.optimizer = Adam{};
       job.options.learning_rate = 1e-3;
     }},
    {"ClippedByNorm", [](RankJob& job) { job.options.clipping = {.norm = 0.5F}; }},
    {"ClippedByValue", [](RankJob& job) { job.options.clipping = {.value = 0.01F}; }},
    {"Dropout",
     [](RankJob& job) {
       job.network = "linear(13),relu,dropout(0.3),linear(10)";
       job.options.batch_size = 7;
     }},
    {"Accumulated",
     [](RankJob& job) {
       job.options.accumulate = 5;
       job.options.clipping = {.norm = 1};
     }},
    {"ClassWeights",
     [](RankJob& job) {
       job.options.loss.class_weights = {1, 2, 3, 4, 5, 0.5F, 0.25F, 0, 1, 7};
       job.options.shuffle = true;
     }},
    {"MeanSquaredError", [](RankJob& job) { job.options.loss.kind = LossKind::kMse; }},
    {"Augmented",
     [](RankJob& job) {
       job.options.augmentation = {.flip = FlipMode::kRandom, .shift = 2};
       job.options.shuffle = true;
     }},
    {"Average", [](RankJob& job) { job.options.ema = 0.9; }},
    {"Validation", [](RankJob& job) { job.validation = 0.3; }},
    {"Convolution",
     [](RankJob& job) {
       job.network = "conv(4,5),relu,maxpool(4),linear(10)";
       job.options.batch_size = 32;
     }},
    {"SeveralBuckets",
     [](RankJob& job) {
       job.network = "784-1100-1100-10";
       job.options.batch_size = 149;      // each batch has two buckets, also the last one, which has two rows
       job.options.learning_rate = 0.03;  // with 0.1, rounding changes which ReLUs pass a gradient
       job.options.epochs = 1;
     }},
};

INSTANTIATE_TEST_SUITE_P(Cases, Ranks, testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

class OrderedSums : public testing::TestWithParam<TrainingCase> {};

TEST_P(OrderedSums, GiveTheSameBitsForAnyNumberOfRanks) {
  auto job = with(GetParam().change);
  job.options.ordered_sums = true;
  const auto alone = train_on_ranks(1, job);
  for (const int ranks : kSanitized ? std::vector{4} : std::vector{2, 4, 8}) {
    SCOPED_TRACE(testing::Message() << ranks << " ranks");
    const auto together = train_on_ranks(ranks, job);
    EXPECT_EQ(together.parameters, alone.parameters);
    expect_like(together, alone, 1e-12);
  }
  job.options.ordered_sums = false;
  expect_like(train_on_ranks(1, job), alone);
}

INSTANTIATE_TEST_SUITE_P(Cases, OrderedSums,
                         testing::Values(kCases[0], kCases[1], kCases[2], kCases[4], kCases[8], kCases[10],
                                         kCases[13], kCases[14], kCases[15], kCases[17]),
                         [](const auto& info) { return info.param.name; });

TEST(RanksTogether, GoOnWithAnotherNumberOfRanks) {
  auto job = with([](RankJob& job) {
    job.options.optimizer = Sgd{.momentum = 0.9F};
    job.options.shuffle = true;
    job.save_every_steps = 17;  // in the second epoch, at batch 5 of 12
  });
  for (const auto& [ordered, accumulate] : {std::pair{false, 1}, {true, 1}, {false, 4}, {true, 4}}) {
    job.options.ordered_sums = ordered;
    job.options.accumulate = accumulate;  // step 17 is the first one of four
    const auto alone = train_on_ranks(1, job);
    for (const int before : {1, 2}) {
      const auto stopped = train_on_ranks(before, job);
      ASSERT_TRUE(stopped.saved);
      EXPECT_EQ(stopped.saved->step, 17);
      EXPECT_EQ(stopped.saved->metrics.batches, 5);
      for (const int after : {1, 2, 4}) {
        SCOPED_TRACE(testing::Message() << before << " ranks, then " << after << ", ordered " << ordered
                                        << ", accumulated " << accumulate);
        auto second = job;
        second.save_every_steps = 0;
        second.resumed = &*stopped.saved;
        const auto resumed = train_on_ranks(after, second);
        if (ordered) {
          EXPECT_EQ(resumed.parameters, alone.parameters);
        }
        EXPECT_TRUE(all_close(resumed.parameters, Doubles(alone.parameters.begin(), alone.parameters.end()),
                              {2e-5, 1e-4}));
        expect_same_result(resumed.reports.epochs.back().training, alone.reports.epochs.back().training,
                           2e-5);
      }
    }
  }
}

TEST(RanksTogether, DivergeTogether) {
  RankJob job;
  job.options.learning_rate = 1e30;
  std::vector<std::string> messages(3);
  EXPECT_THROW(run_ranks(3,
                         [&](Communicator& communicator) {
                           try {
                             train_rank(communicator, job);
                           } catch (const DivergedError& error) {
                             messages[static_cast<std::size_t>(communicator.rank())] = error.what();
                             throw;
                           }
                         }),
               DivergedError);
  EXPECT_NE(messages[0], "");
  EXPECT_EQ(messages[1], messages[0]);
  EXPECT_EQ(messages[2], messages[0]);
}

// Each rank normalizes with the statistics of its own rows; the running statistics are those of rank 0, also
// in evaluations.
TEST(RanksTogether, EvaluateWithTheStatisticsOfTheFirstRank) {
  auto job = with([](RankJob& job) { job.network = "conv(4,5),batchnorm,relu,maxpool(4),linear(10)"; });
  job.options.batch_size = 30;  // test batches of both ranks
  const auto together = train_on_ranks(2, job);
  EXPECT_NE(together.state, train_on_ranks(1, job).state);
  const auto paths = find_dataset(sample_folder().string(), {});
  const Dataset test_set(paths.test_images, paths.test_labels);
  CpuBackend backend(1);
  const auto plan = plan_network(parse_network(job.network), shape_of(test_set.sample_shape()));
  const Network network(backend, plan, {together.parameters, together.state});
  const Workspace workspace(backend, network, {.max_batch_size = 30});
  Evaluation evaluation(backend, workspace, {}, test_set, 30,
                        plan_single_set(backend, test_set, 30, Residency::kStream),
                        evaluation_input(plan, job.options));
  TorchGenerator generator(0);
  const auto alone = evaluation.run(generator);
  ASSERT_TRUE(alone);
  expect_same_result(together.reports.epochs.back().test, *alone, 1e-9);
}

TEST(RanksTogether, NameWhatTheyCannotDo) {
  const auto expect_refused = [](int ranks, const std::string& text,
                                 const std::function<void(RankJob&)>& change) {
    try {
      train_on_ranks(ranks, with(change));
      ADD_FAILURE() << "expected: " << text;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
    }
  };
  expect_refused(3, "--reduce ordered: 3 processes, expected 1, 2, 4 or 8",
                 [](RankJob& job) { job.options.ordered_sums = true; });
  expect_refused(1, "--reduce ordered: the network has batch normalization", [](RankJob& job) {
    job.options.ordered_sums = true;
    job.network = "conv(4,5),batchnorm,linear(10)";
  });
  expect_refused(2, "a process gets one sample of a batch", [](RankJob& job) {
    job.options.batch_size = 3;
    job.network = "linear(12),batchnorm,linear(10)";
  });
  expect_refused(2, "--engine fused: several processes",
                 [](RankJob& job) { job.options.engine = Engine::kFused; });
  expect_refused(1, "--engine fused: --reduce ordered", [](RankJob& job) {
    job.options.ordered_sums = true;
    job.options.engine = Engine::kFused;
  });
}

}  // namespace
}  // namespace warpfit::test
