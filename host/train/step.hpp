// One batch through the network: what a training step and an evaluation step are, whatever the device.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "host/backend/buffer.hpp"
#include "host/loss/loss.hpp"
#include "host/model/network.hpp"
#include "host/optim/optimizer_state.hpp"
#include "host/report/report.hpp"

namespace warpfit {

/// The values of a batch between the layers: x[l] enters layer l, x.back() are the logits; dy[l] is the
/// gradient of layer l's output.
struct BatchViews {
  std::vector<Matrix> x;
  std::vector<Matrix> dy;
  Labels labels;
  Vector gradients;  ///< of all parameters, laid out like them; empty where the update is folded
  std::vector<LinearViews> layer_gradients;  ///< the layers' views of them
};

/// The memory of BatchViews, for batches of up to a number of rows.
class Workspace {
 public:
  Workspace(Backend& backend, const Network& network, std::int64_t most_rows, bool with_gradients);
  [[nodiscard]] BatchViews views(std::int64_t rows) const;

 private:
  const NetworkPlan& plan_;
  std::vector<std::int64_t> widths_;  // of the values
  std::vector<Buffer<float>> x_, dy_;
  Buffer<std::uint8_t> labels_;
  Buffer<float> gradients_;
};

/// How far gradients may go; 0 for no bound.
struct Clipping {
  float norm = 0;   ///< of all together
  float value = 0;  ///< of each
};

/// How a network learns from a batch.
struct TrainingRule {
  Loss loss;
  DropoutMask dropout;  ///< behind each hidden ReLU
  /// Without one, plain SGD is folded into the products that give the weight gradients, which thus never lie
  /// in memory; with one, they do, and the update is a pass of its own over all parameters.
  const OptimizerState* optimizer = nullptr;
  Clipping clipping;             ///< of gradients that lie in memory
  GradientNorm* norm = nullptr;  ///< where their norm is left, in the backend's memory; needed to clip by it
};

/// A training step's, in their order. Weight gradients are of the backward phase, or of the update where that
/// is folded into them.
enum class Phase { kLoad, kForward, kLoss, kBackward, kUpdate };
constexpr std::size_t kPhases = 5;

/// Loads the current batch, adds its loss to `metrics` and trains on it: forward, loss, backward, update.
/// What lies behind the `last` phase is left out, to see what it costs.
void train_step(Backend& backend, const Network& network, const BatchViews& batch, const TrainingRule& rule,
                Metrics* metrics, Phase last = Phase::kUpdate);

/// Loads the current batch and adds its loss to `metrics`.
void evaluation_step(Backend& backend, const Network& network, const BatchViews& batch, const Loss& loss,
                     Metrics* metrics);

/// Loads the current batch; its logits are batch.x.back() then.
void inference_step(Backend& backend, const Network& network, const BatchViews& batch);

/// What the metrics of a pass over so many samples say of them.
Result result_of(const Metrics& metrics, std::int64_t samples);

/// One of the steps above, for a network.
using Step = std::function<void(const BatchViews&, Metrics*)>;

/// A step as the backend recorded it, once for each size of batch that comes up.
class StepRunner {
 public:
  /// All must outlive the runner. Batches have at most `most_rows` rows.
  StepRunner(Backend& backend, const Workspace& workspace, Step step);

  /// From now on the backend runs this whole step, with the runner's metrics, in place of the one above.
  /// False where it cannot, and then `reason` says why.
  bool fuse(WholeStep step, std::string& reason);

  /// Queues the step for each batch of the run.
  void run(const BatchRun& run);

  /// RecordedStep::take_kernel_phases() of the fused step.
  [[nodiscard]] std::vector<KernelPhase> take_kernel_phases() const;

  void clear_metrics() { set_metrics({}); }
  void set_metrics(const Metrics& metrics) { metrics_.upload(std::vector{metrics}); }
  /// Waits for all that is queued.
  [[nodiscard]] Metrics read_metrics() const;
  void wait() const { (void)read_metrics(); }

 private:
  Backend& backend_;
  const Workspace& workspace_;
  Step step_;
  Buffer<Metrics> metrics_;
  std::map<std::int64_t, std::unique_ptr<RecordedStep>> recorded_;  // by rows
  std::unique_ptr<RecordedStep> fused_;                             // of any rows
};

}  // namespace warpfit
