// One batch through the network: what a training step and an evaluation step are, whatever the device.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
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
  Loss loss = {};
  /// Without one, plain SGD is fused into the matrix products that give the weight gradients, which thus
  /// never lie in memory; with one, they do, and the update is a pass of its own over all parameters.
  const OptimizerState* optimizer = nullptr;
  Clipping clipping = {};        ///< of gradients that lie in memory
  GradientNorm* norm = nullptr;  ///< where their norm is left, in the backend's memory; needed to clip by it
  const ParameterAverage* average = nullptr;  ///< that goes on with each update, if any
  /// Where not empty, `share` of the batch's gradients is added here, and an update is made with the sum,
  /// which is then 0 again; or, where not `updates`, none is made. Needs an optimizer.
  Vector gradient_sum = {};
  float share = 1;
  bool updates = true;
};

/// A training step's, in their order. Weight gradients are of the backward phase, or of the update where that
/// is fused into them.
enum class Phase { kLoad, kForward, kLoss, kBackward, kUpdate };
constexpr std::size_t kPhases = 5;

/// Loads the current batch, adds its loss to `metrics` and trains on it: forward, loss, backward, update.
/// What comes after the `last` phase is left out, to see what it costs.
void train_step(Backend& backend, const Network& network, const Batch& batch, const TrainingRule& rule,
                Metrics* metrics, Phase last = Phase::kUpdate);

/// Loads the current batch and adds its loss to `metrics`.
void evaluation_step(Backend& backend, const Batch& batch, Metrics* metrics);

/// Loads the current batch; its logits are batch.outputs then.
void inference_step(Backend& backend, const Batch& batch);

/// What the metrics of a pass over so many samples say of them.
Result result_of(const Metrics& metrics, std::int64_t samples);

/// One of the steps above, for a network.
using Step = std::function<void(const Batch&, Metrics*)>;

/// A step as the backend recorded it, once for each size of batch that comes up.
class StepRunner {
 public:
  /// All must outlive the runner. `loss`: that the step adds to its metrics, if any.
  StepRunner(Backend& backend, const Workspace& workspace, const std::optional<Loss>& loss, Step step);

  /// From now on the backend runs this plan, with the runner's metrics, instead of the step above. False if
  /// it cannot, and then `reason` says why.
  bool compile(StepPlan plan, std::string& reason);

  /// Queues the step for each batch of the run.
  void run(const BatchRun& run);

  /// RecordedStep::take_kernel_phases() of the compiled plan.
  [[nodiscard]] std::vector<KernelPhase> take_kernel_phases() const;

  /// Where the steps add up, in the backend's memory.
  [[nodiscard]] Metrics* metrics() const { return metrics_.data(); }
  void clear_metrics() { set_metrics({}); }
  void set_metrics(Metrics metrics);
  /// Keeps the loss of each batch from now on, and clears the metrics. No more than so many batches may be
  /// run between two clearings.
  void keep_losses(std::int64_t batches);
  /// Of these batches, counted since the last clearing. Waits for all that is queued.
  [[nodiscard]] std::vector<float> losses(std::int64_t first, std::int64_t count) const;
  /// Waits for all that is queued.
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
  Buffer<float> losses_;                       // empty if they are not kept
  std::map<std::int64_t, Recorded> recorded_;  // by rows
  std::unique_ptr<RecordedStep> compiled_;     // of any rows
};

}  // namespace warpfit
