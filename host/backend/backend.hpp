// The one interface between the trainer and a device: memory, recorded steps, and one call a layer and batch.
// What crosses it is views and plain structs; never a stream, a handle or a trail of floats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/backend/dropout.hpp"
#include "host/backend/gradient_norm.hpp"
#include "host/backend/optimizer.hpp"
#include "host/backend/views.hpp"
#include "host/backend/whole_step.hpp"

namespace warpfit {

/// What products are computed in; sums and parameters are fp32 always.
enum class Precision { kFp32, kTf32, kBf16 };

/// What a loss adds up over the batches since it was last cleared. It lives in the backend's memory, so that
/// no step waits for the host.
struct Metrics {
  double loss_sum = 0;  ///< sum over batches of the mean loss of the batch, each rounded to fp32 as PyTorch's
  float last_loss = 0;  ///< mean loss of the newest batch
  std::int64_t batches = 0;
  std::int64_t correct = 0;            ///< samples whose highest logit is at their label; the first of equals
  std::int64_t non_finite = 0;         ///< batches whose loss was not a finite number
  std::int64_t first_non_finite = -1;  ///< the first of them, counted from 0 since the last clearing
};

/// A stretch of batches of equal size, one after the other in the backend's memory.
struct BatchRun {
  SampleView samples;
  std::int64_t first = 0;        ///< first sample of the first batch
  std::int64_t batches = 0;      ///< how many batches
  std::int64_t rows = 0;         ///< samples in each
  float rate = 0;                ///< learning rate of these batches; unused where nothing is updated
  const float* rates = nullptr;  ///< the rate of each batch in its place, in the backend's memory
  std::int64_t step = 0;         ///< steps of training before the first batch
};

/// Host memory that a reader fills and the trainer sends to the device. The order of calls is
/// wait_until_reusable, fill host(), submit or submit_to, batch runs, retire.
class StagingSlot {
 public:
  StagingSlot() = default;
  StagingSlot(const StagingSlot&) = delete;
  StagingSlot& operator=(const StagingSlot&) = delete;
  virtual ~StagingSlot() = default;

  /// Page-locked where the device copies faster from such memory.
  [[nodiscard]] virtual std::span<std::uint8_t> host() = 0;

  /// Queues the copy of the first `bytes` bytes of host() to the slot's own place on the device, which it
  /// returns; batch runs queued later see it whole.
  virtual const std::uint8_t* submit(std::size_t bytes) = 0;
  /// Likewise for the bytes from `first` on, to a place of the caller's.
  virtual void submit_to(std::uint8_t* to, std::size_t first, std::size_t bytes) = 0;
  /// Says that every batch run which reads what was submitted has been queued.
  virtual void retire() = 0;
  /// Blocks until the slot may be used anew. Called by the reader thread.
  virtual void wait_until_reusable() = 0;
};

/// How long a phase inside one kernel takes, in seconds a step.
struct KernelPhase {
  std::string name;
  double median = 0, slowest = 0;  ///< of the kernel's blocks
};

/// The operations of one batch, to be run for many. A backend may record them at the first run and replay
/// them.
class RecordedStep {
 public:
  RecordedStep() = default;
  RecordedStep(const RecordedStep&) = delete;
  RecordedStep& operator=(const RecordedStep&) = delete;
  virtual ~RecordedStep() = default;

  /// Queues the step for each batch of `run` in turn; does not wait for the device.
  virtual void run(const BatchRun& run) = 0;

  /// The phases of the steps since the last call, if the whole step is one kernel and the build measures its
  /// phases; else none. Waits for the device.
  [[nodiscard]] virtual std::vector<KernelPhase> take_kernel_phases() { return {}; }
};

/// A device that trains. Errors: DeviceError where it fails, OutOfMemory where memory does.
/// All calls come from one thread, save StagingSlot's that say otherwise.
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  /// What it runs on, for people: "CPU (AMD EPYC, 2 threads, oneDNN 2.6.3)".
  [[nodiscard]] virtual std::string description() const = 0;

  /// Whether its memory is the host's.
  [[nodiscard]] virtual bool is_host() const { return false; }

  // Memory. It is aligned to 64 bytes or more and holds anything at first.
  [[nodiscard]] virtual void* allocate(std::size_t bytes) = 0;
  virtual void deallocate(void* memory) noexcept = 0;
  /// Copies to the device behind all queued work; `from` may be reused at return.
  virtual void upload(std::span<const std::byte> from, void* to) = 0;
  /// Waits for all queued work, then copies to the host.
  virtual void download(const void* from, std::span<std::byte> to) = 0;
  [[nodiscard]] virtual std::unique_ptr<StagingSlot> make_staging_slot(std::size_t bytes) = 0;
  /// Whether a data set of this size should stay in this backend's memory, so that it is copied once and not
  /// in each pass.
  [[nodiscard]] virtual bool should_keep(std::size_t bytes) const = 0;

  /// `step` calls the operations below, the same ones with the same views each time, and nothing that
  /// allocates or waits. This backend and the memory that the step names must outlive the result.
  [[nodiscard]] virtual std::unique_ptr<RecordedStep> record(std::function<void()> step) = 0;

  /// Runs all batches of a run in one go. Nothing where this backend cannot, and then `reason` says why. This
  /// backend and the memory that the step names must outlive the result.
  [[nodiscard]] virtual std::unique_ptr<RecordedStep> fuse(const WholeStep& /*step*/, std::string& reason) {
    reason = "this device trains layer by layer";
    return nullptr;
  }

  // For profilers; nothing by default.
  /// Begins a named range of this thread's time, inside those that are open. `number` tells its kin apart.
  virtual void begin_range(const char* /*name*/, std::int64_t /*number*/) {}
  virtual void end_range() noexcept {}
  /// To be called once by each thread other than the one that made the backend, before its first call of the
  /// backend or of a StagingSlot: it selects the device for the thread, and names the thread for profilers.
  virtual void attach_thread(const char* /*name*/) {}
  /// Starts or stops what a profiler captures, where it was told to capture on request.
  virtual void capture_profile(bool /*on*/) {}

  // Operations. Shapes: N rows of a batch, K inputs and M outputs of a layer. Outputs overlap no input.

  /// x (N, K) = float(p) / 255, exactly rounded, and labels (N) of the run's current batch. Only inside a
  /// step.
  virtual void load_batch(Matrix x, Labels labels) = 0;

  /// y (N, M) = activation(x (N, K) w' + b), w (M, K) as nn.Linear keeps it, b (M).
  virtual void linear_forward(ConstMatrix x, ConstMatrix w, ConstVector b, ActivationKind activation,
                              Matrix y) = 0;

  /// dx (N, K) = dy (N, M) w (M, K), and 0 where x, the activation's output, says that it let nothing
  /// through.
  virtual void linear_backward_input(ConstMatrix dy, ConstMatrix w, ConstMatrix x, ActivationKind activation,
                                     Matrix dx) = 0;

  /// dw (M, K) = dy' x and db (M) = the sum of dy over its rows. This and linear_backward_sgd may run beside
  /// the calls of linear_backward_... and dropout that follow in the step: they use nothing that it writes,
  /// and write nothing that it reads.
  virtual void linear_backward_weights(ConstMatrix x, ConstMatrix dy, Matrix dw, Vector db) = 0;

  /// parameters -= rate * gradients, with the run's learning rate; equal sizes. Only inside a step.
  virtual void sgd_update(Vector parameters, ConstVector gradients) = 0;

  /// gradients *= min(1, most / (their 2-norm + 1e-6)), as torch.nn.utils.clip_grad_norm_; the norm is left
  /// in `norm`. `most` may be infinite, to measure alone.
  virtual void clip_gradient_norm(float most, Vector gradients, GradientNorm* norm) = 0;

  /// gradients = min(max(gradients, -most), most), as torch.nn.utils.clip_grad_value_.
  virtual void clip_gradient_value(float most, Vector gradients) = 0;

  /// One step of an optimizer with the run's learning rate; counts it in the progress. Only inside a step.
  virtual void optimizer_update(const Optimizer& optimizer, const OptimizerViews& views) = 0;

  /// Both in one, without gradients in memory: w (M, K) -= rate * dy' x and b (M) -= rate * (sum of dy over
  /// its rows): weight gradients and plain SGD in one, with the run's learning rate. Only inside a step.
  virtual void linear_backward_sgd(ConstMatrix x, ConstMatrix dy, Matrix w, Vector b) = 0;

  /// values (N, M) *= 0 or 1 / (1 - p), as the dropout says for the run's current step: of a layer's output,
  /// and of its gradient. Only inside a step.
  virtual void dropout(const DropoutMask& dropout, Matrix values) = 0;

  // Losses add the batch to `metrics`: its loss, hits, and whether the loss is finite; and give the gradient
  // (N, C) of what they are made of, where it is asked for. Labels must be below C.

  /// Mean over rows of -sum_c t_c log softmax(logits (N, C))_c, where t is one_hot(label), of which every
  /// class has `label_smoothing` / C and the label the rest. dlogits = (softmax(logits) - t) / N.
  virtual void softmax_cross_entropy(ConstMatrix logits, ConstLabels labels, float label_smoothing,
                                     Matrix dlogits, Metrics* metrics) = 0;

  /// Mean over rows and classes of (outputs (N, C) - one_hot(label))^2. doutputs = 2 (outputs - t) / (N C).
  virtual void mean_squared_error(ConstMatrix outputs, ConstLabels labels, Matrix doutputs,
                                  Metrics* metrics) = 0;
};

/// A range that ends with its scope.
class ProfileRange {
 public:
  ProfileRange(Backend& backend, const char* name, std::int64_t number = 0) : backend_(backend) {
    backend_.begin_range(name, number);
  }
  ProfileRange(const ProfileRange&) = delete;
  ProfileRange& operator=(const ProfileRange&) = delete;
  ~ProfileRange() { backend_.end_range(); }

 private:
  Backend& backend_;
};

}  // namespace warpfit
