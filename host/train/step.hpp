// Training and evaluation steps: how one batch passes through the network, independent of the device.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "host/backend/buffer.hpp"
#include "host/model/network.hpp"
#include "host/optim/optimizer_state.hpp"
#include "host/report/report.hpp"
#include "host/train/workspace.hpp"

namespace warpfit {

class ParameterAverage;

/// How a network learns from a batch.
struct TrainingRule {
  PixelTransform input = {};  ///< of the samples
  Loss loss = {};
  /// Without an optimizer, the plain SGD update is fused into the weight-gradient GEMMs, and the gradients
  /// are never written to memory. With one, they are, and the update is a separate pass over all parameters.
  const OptimizerState* optimizer = nullptr;
  Clipping clipping = {};  ///< of gradients in memory
  /// Output: the norm of the gradients, in the backend's memory. Required for clipping by norm.
  GradientNorm* norm = nullptr;
  const ParameterAverage* average = nullptr;  ///< updated after each update, if not null
  /// If not empty, `share` times the gradients of the batch is added to this sum. If `updates`, the
  /// parameters are then updated with the sum, which is reset to 0. Requires an optimizer.
  Vector gradient_sum = {};
  float share = 1;
  bool updates = true;
  /// Whether the gradients are summed over the backend's ranks. They are kept in memory then.
  bool sums_over_ranks = false;
  /// With ordered sums: sums of the gradients of earlier parts of the batch, which are added to those of this
  /// part, and where the result is kept for a later part; it is kept for the update if `kept_in` is empty.
  std::span<const Vector> earlier_parts = {};
  Vector kept_in = {};
  SumOrder sum_order = SumOrder::kFastest;
};

/// The phases of a training step, in order. Weight gradients belong to the backward phase, or to the update
/// if it is fused into them.
enum class Phase { kLoad, kForward, kLoss, kBackward, kUpdate };
constexpr std::size_t kPhases = 5;

/// Loads the current batch, adds its loss to `metrics` and trains on it: forward, loss, backward, update.
/// Phases after `last` are omitted, to measure their time.
void train_step(Backend& backend, const Network& network, const Batch& batch, const TrainingRule& rule,
                Metrics* metrics, Phase last = Phase::kUpdate);

/// Loads the current batch and adds its loss to `metrics`.
void evaluation_step(Backend& backend, const Batch& batch, Metrics* metrics,
                     const PixelTransform& input = {});

/// How a sample is shown to the network, and the share of this view in the mean of the outputs.
struct TestView {
  PixelTransform input;
  float share = 1;
};

/// Loads the current batch and computes its outputs for each view. `mean` (N, C): the sum of share * outputs;
/// batch.outputs if there is one view. Adds its loss to `metrics` if the batch was prepared for one.
void inference_step(Backend& backend, const Batch& batch, std::span<const TestView> views, Matrix mean,
                    Metrics* metrics);

/// The result of a pass over this many samples, from its metrics.
Result result_of(const Metrics& metrics, std::int64_t samples);

/// One of the steps above for a given network.
using Step = std::function<void(const Batch&, Metrics*)>;

/// A step recorded by the backend, once for each batch size that occurs.
class StepRunner {
 public:
  /// All references must outlive the runner. `loss`: the loss that the step adds to its metrics, if any.
  StepRunner(Backend& backend, const Workspace& workspace, const std::optional<Loss>& loss, Step step);

  /// From now on the backend runs this plan, with the metrics of the runner, in place of the step above.
  /// Returns false with a reason if the backend does not support the plan.
  bool compile(StepPlan plan, std::string& reason);

  /// Queues the step for each batch of `run`.
  void run(const BatchRun& run);

  /// RecordedStep::take_kernel_phases() of the compiled plan.
  [[nodiscard]] std::vector<KernelPhase> take_kernel_phases() const;

  /// The accumulated metrics of the steps, in the backend's memory.
  [[nodiscard]] Metrics* metrics() const { return metrics_.data(); }
  void clear_metrics() { set_metrics({}); }
  void set_metrics(Metrics metrics);
  /// From now on, keeps the loss of each batch; resets the metrics. At most `batches` batches may run between
  /// two resets.
  void keep_losses(std::int64_t batches);
  /// The losses of these batches, counted since the last reset. Waits for all queued work.
  [[nodiscard]] std::vector<float> losses(std::int64_t first, std::int64_t count) const;
  /// Waits for all queued work.
  [[nodiscard]] Metrics read_metrics() const;
  void wait() const { (void)read_metrics(); }

 private:
  struct Recorded {
    std::unique_ptr<Batch> batch;
    std::unique_ptr<RecordedStep> step;  // uses the batch
  };

  Backend& backend_;
  const Workspace& workspace_;
  std::optional<Loss> loss_;
  Step step_;
  Buffer<Metrics> metrics_;
  Buffer<float> losses_;                       // empty if losses are not kept
  std::map<std::int64_t, Recorded> recorded_;  // by number of rows
  std::unique_ptr<RecordedStep> compiled_;     // for any number of rows
};

}  // namespace warpfit
