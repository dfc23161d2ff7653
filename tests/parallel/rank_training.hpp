// Training runs on ranks that are threads.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "host/cpu/cpu_backend.hpp"
#include "host/model/initializer.hpp"
#include "host/parallel/thread_ranks.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/train/trainer.hpp"
#include "tests/support/checked_backend.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {

struct RankReports {
  std::vector<LossReport> losses;
  std::vector<EpochReport> epochs;
};

class RankRecorder final : public Report {
 public:
  explicit RankRecorder(RankReports& reports) : reports_(reports) {}
  void loss(const LossReport& report) override { reports_.losses.push_back(report); }
  void epoch_ended(const EpochReport& report) override { reports_.epochs.push_back(report); }

 private:
  RankReports& reports_;
};

// What a rank has after a run.
struct RankResult {
  std::vector<float> parameters, state;
  RankReports reports;
  StopReason stop_reason = StopReason::kCompleted;
  std::optional<TrainingState> saved;
};

struct RankJob {
  std::string network = "784-12-10";
  TrainOptions options{.epochs = 2, .batch_size = 25, .learning_rate = 0.1, .log_every = 3};
  double validation = 0;
  std::function<std::unique_ptr<Backend>(Communicator&)> backend = [](Communicator& communicator) {
    return std::make_unique<CpuBackend>(1, &communicator);
  };
  const TrainingState* resumed = nullptr;
  std::int64_t save_every_steps = 0;
  std::function<bool(int rank)> should_stop = {};
};

inline RankResult train_rank(Communicator& communicator, const RankJob& job) {
  const auto paths = find_dataset(sample_folder().string(), {});
  const Dataset training_set(paths.train_images, paths.train_labels);
  const Dataset test_set(paths.test_images, paths.test_labels);
  TrainingData data{training_set, std::nullopt, test_set};
  if (job.validation > 0) {
    const auto split = split_off(training_set, job.validation, false, 0);
    data = {split.training, split.validation, test_set};
  }
  CheckedBackend backend(job.backend(communicator));
  const auto plan = plan_network(parse_network(job.network), shape_of(training_set.sample_shape()));
  TorchGenerator generator(0);
  auto parameters = initial_parameters(plan, generator);
  Network network(backend, plan, {parameters, initial_state(plan)});
  RankResult result;
  RankRecorder recorder(result.reports);
  TrainerHooks hooks{.save_every_steps = job.save_every_steps, .save = [&](TrainingState state) {
                       if (!result.saved) result.saved = std::move(state);
                     }};
  if (job.should_stop) hooks.should_stop = [&] { return job.should_stop(communicator.rank()); };
  Trainer trainer(backend, network, data, job.options, generator, recorder, hooks);
  if (job.resumed != nullptr) trainer.restore(*job.resumed);
  result.stop_reason = trainer.run();
  result.parameters = trainer.parameters();
  result.state = trainer.network_state();
  return result;
}

// The result of rank 0, whose parameters and reports all ranks have.
inline RankResult train_on_ranks(int ranks, const RankJob& job) {
  std::vector<RankResult> results(static_cast<std::size_t>(ranks));
  run_ranks(ranks, [&](Communicator& communicator) {
    results[static_cast<std::size_t>(communicator.rank())] = train_rank(communicator, job);
  });
  const auto& first = results.front();
  for (const auto& other : results) {
    EXPECT_EQ(other.parameters, first.parameters);
    EXPECT_EQ(other.stop_reason, first.stop_reason);
    EXPECT_EQ(other.reports.losses.size(), first.reports.losses.size());
    for (std::size_t i = 0; i < first.reports.losses.size(); ++i)
      EXPECT_EQ(other.reports.losses[i].loss, first.reports.losses[i].loss);
    for (std::size_t i = 0; i < first.reports.epochs.size(); ++i)
      EXPECT_EQ(other.reports.epochs[i].test.loss, first.reports.epochs[i].test.loss);
  }
  return results.front();
}

}  // namespace warpfit::test
