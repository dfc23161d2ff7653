// Training steps: they turn gradients into updates, and hold the state that is kept between batches.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/backend/buffer.hpp"
#include "host/model/network.hpp"
#include "host/optim/optimizer_state.hpp"
#include "host/train/batch_share.hpp"
#include "host/train/parameter_average.hpp"
#include "host/train/step.hpp"
#include "host/train/train_options.hpp"
#include "host/train/training_state.hpp"
#include "host/train/workspace.hpp"

namespace warpfit {

class TrainingSteps {
 public:
  /// All references must outlive it.
  TrainingSteps(Backend& backend, Network& network, const Workspace& workspace, const TrainOptions& options,
                const BatchShare& share, std::int64_t batches_per_epoch);

  /// See StepRunner::compile().
  bool compile(std::string& reason);

  /// The number of batches, at most `max_batches`, that can be queued as one run, beginning with batch
  /// `batch` of the epoch.
  [[nodiscard]] std::int64_t longest_run(std::int64_t batch, std::int64_t max_batches) const;
  /// Queues such a run of this rank's rows; `batch` is its first batch, and `rows` the size of whole batches.
  void run(std::int64_t batch, BatchRun run, std::int64_t rows);
  void wait() const { training_.wait(); }

  void clear_metrics() { training_.clear_metrics(); }
  /// Of all ranks together; collective. Waits for all queued work.
  [[nodiscard]] Metrics read_metrics() const;
  /// The losses of these batches of the epoch, likewise.
  [[nodiscard]] std::vector<float> losses(std::int64_t first, std::int64_t count) const;
  [[nodiscard]] bool measures_norm() const { return norm_.size() > 0; }
  /// The gradient norm of the update made by this batch, if there was one and the norm is measured. Waits for
  /// all queued work.
  [[nodiscard]] std::optional<float> gradient_norm(std::int64_t batch) const;

  /// To be called after the last batch of an epoch.
  void epoch_trained(std::int64_t epoch) { average_.epoch_ended(epoch); }
  /// The average of the parameters, which replaces them for tests and saved models.
  [[nodiscard]] ParameterAverage& average() { return average_; }

  /// Stores its part of the state of a run, or restores it. Collective. Errors: ModelError if the state is of
  /// another optimizer or size.
  void save(TrainingState& state) const;
  void restore(const TrainingState& state);

 private:
  [[nodiscard]] TrainingRule rule(bool updates) const;
  [[nodiscard]] Step step(TrainingRule rule);
  void prepare_parts();
  [[nodiscard]] bool updates(std::int64_t batch) const;

  Backend& backend_;
  Network& network_;
  const Workspace& workspace_;
  PixelTransform input_;
  Loss loss_;
  Clipping clipping_;
  std::int64_t accumulate_;
  std::int64_t batches_per_epoch_;
  bool fuses_update_;
  BatchShare share_;
  OptimizerState optimizer_;
  ParameterAverage average_;
  Buffer<GradientNorm> norm_;   // empty if the norm is not measured
  Buffer<float> gradient_sum_;  // empty if every batch makes an update
  // With ordered sums: the sums of 2^k parts of a batch, for each k that is needed.
  std::vector<Buffer<float>> part_sums_;
  std::vector<Vector> part_sum_views_;
  StepRunner training_;
  StepRunner accumulating_;  // for batches that make no update; it adds to the metrics of training_
  // With ordered sums, for the parts of a batch before the last one; likewise.
  std::vector<std::unique_ptr<StepRunner>> parts_;
};

}  // namespace warpfit
