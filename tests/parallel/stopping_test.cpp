// Ranks of which one is told to stop, by a signal for example: all of them stop at the same point.
#include <gtest/gtest.h>

#include <mutex>
#include <vector>

#include "tests/parallel/rank_training.hpp"

namespace warpfit::test {
namespace {

// Whichever rank is told to stop, all of them stop at the same step.
TEST(RanksThatStop, StopAtTheSameStep) {
  for (const int told : {0, 1, 2}) {
    RankJob job;
    int calls = 0;
    std::mutex mutex;
    job.should_stop = [&](int rank) {
      const std::lock_guard lock(mutex);
      return rank == told && ++calls > 3;
    };
    const auto stopped = train_on_ranks(3, job);
    EXPECT_EQ(stopped.stop_reason, StopReason::kInterrupted);
    ASSERT_TRUE(stopped.saved);
    EXPECT_GT(stopped.saved->step, 0);
    EXPECT_LT(stopped.saved->step, 24);
  }
}

// 60 batches of one sample, with a check before the first one, after one, after three and so on. Rank 1 is
// told to stop at its third check; the others have then made as many.
TEST(RanksThatStop, StopAtTheSameBatchOfAnEvaluation) {
  const auto paths = find_dataset(sample_folder().string(), {});
  const Dataset test_set(paths.test_images, paths.test_labels);
  std::vector<int> checks(3);
  run_ranks(3, [&](Communicator& communicator) {
    CpuBackend backend(1, &communicator);
    const auto plan = plan_network(parse_network("784-10"), shape_of(test_set.sample_shape()));
    TorchGenerator generator(0);
    const Network network(backend, plan, {initial_parameters(plan, generator), initial_state(plan)});
    const Workspace workspace(backend, network, {.max_batch_size = 1});
    const auto part = evaluated_part(communicator, test_set, 1);
    Evaluation evaluation(backend, workspace, {}, test_set, 1,
                          plan_single_set(backend, part, 1, Residency::kStream), evaluation_input(plan, {}));
    auto& own = checks[static_cast<std::size_t>(communicator.rank())];
    const auto stopped = [&] { return ++own == 3 && communicator.rank() == 1; };
    EXPECT_FALSE(evaluation.run(generator, stopped));
  });
  EXPECT_EQ(checks, std::vector<int>(3, 3));
}

}  // namespace
}  // namespace warpfit::test
