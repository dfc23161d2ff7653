// The one interface between the trainer and a device: memory, operations prepared for a batch size, and
// recorded steps. Views and plain structs cross it; never a stream, a handle or a list of numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/backend/averaging.hpp"
#include "host/backend/gradient_norm.hpp"
#include "host/backend/layer_op.hpp"
#include "host/backend/loss.hpp"
#include "host/backend/muon.hpp"
#include "host/backend/operation.hpp"
#include "host/backend/optimizer.hpp"
#include "host/backend/pixel_transform.hpp"
#include "host/backend/step_plan.hpp"
#include "host/backend/views.hpp"
#include "host/parallel/communicator.hpp"

namespace warpfit {

/// Precision of matrix products; sums and parameters are always fp32.
enum class Precision { kFp32, kTf32, kBf16 };

/// Consecutive batches of equal size in the backend's memory.
struct BatchRun {
  SampleView samples;
  std::int64_t first = 0;        ///< first sample of the first batch
  std::int64_t batches = 0;      ///< how many batches
  std::int64_t rows = 0;         ///< samples in each batch
  float rate = 0;                ///< learning rate of these batches; unused if nothing is updated
  const float* rates = nullptr;  ///< one rate per batch, in the backend's memory
  std::int64_t step = 0;         ///< steps of training before the first batch
  std::int64_t epoch = 0;        ///< of training, for random changes of the samples
  /// The row of the whole batch that is the first row here, if this is a part of a batch.
  std::int64_t first_row = 0;
  /// What the sum of the rows' losses is divided by: the rows of the whole batch, or the sum of their
  /// weights. If 0, the rows here are the whole batch.
  double loss_divisor = 0;
  const double* loss_divisors = nullptr;  ///< one for each batch, in the backend's memory
};

/// Host memory that a reader fills and the trainer sends to the device. The order of calls is
/// wait_until_reusable, fill host(), submit or submit_to, batch runs, retire.
class StagingSlot {
 public:
  StagingSlot() = default;
  StagingSlot(const StagingSlot&) = delete;
  StagingSlot& operator=(const StagingSlot&) = delete;
  virtual ~StagingSlot() = default;

  /// Page-locked if that makes copies to the device faster.
  [[nodiscard]] virtual std::span<std::uint8_t> host() = 0;

  /// Queues the copy of the first `bytes` bytes of host() to the slot's device memory and returns its
  /// address; batch runs queued later see the whole copy.
  virtual const std::uint8_t* submit(std::size_t bytes) = 0;
  /// Likewise copies `bytes` bytes from offset `first` on, to device memory of the caller.
  virtual void submit_to(std::uint8_t* to, std::size_t first, std::size_t bytes) = 0;
  /// Tells the slot that every batch run which reads the submitted data has been queued.
  virtual void retire() = 0;
  /// Blocks until the slot may be used again. Called by the reader thread.
  virtual void wait_until_reusable() = 0;
};

/// The duration of a phase within one kernel, in seconds per step.
struct KernelPhase {
  std::string name;
  double median = 0, slowest = 0;  ///< over the kernel's blocks
};

/// The operations of one batch, which can be run for many batches. A backend may record them at the first run
/// and replay them.
class RecordedStep {
 public:
  RecordedStep() = default;
  RecordedStep(const RecordedStep&) = delete;
  RecordedStep& operator=(const RecordedStep&) = delete;
  virtual ~RecordedStep() = default;

  /// Queues the step for each batch of `run` in turn; does not wait for the device.
  virtual void run(const BatchRun& run) = 0;

  /// The phases of the steps since the last call if the whole step is one kernel and the build measures its
  /// phases; otherwise empty. Waits for the device.
  [[nodiscard]] virtual std::vector<KernelPhase> take_kernel_phases() { return {}; }
};

/// A device that trains. Errors: DeviceError if the device fails, OutOfMemory if memory runs out.
/// All calls come from one thread, except those of StagingSlot that say otherwise.
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  /// A description for people: "CPU (AMD EPYC, 2 threads, oneDNN 2.6.3)".
  [[nodiscard]] virtual std::string description() const = 0;

  /// The processes that train together with this one.
  [[nodiscard]] virtual Communicator& communicator() = 0;

  /// Whether the backend's memory is host memory.
  [[nodiscard]] virtual bool is_host() const { return false; }

  // Memory. It is aligned to at least 64 bytes; its contents are uninitialized.
  [[nodiscard]] virtual void* allocate(std::size_t bytes) = 0;
  virtual void deallocate(void* memory) noexcept = 0;
  /// Copies to the device after all queued work; `from` may be reused after the call.
  virtual void upload(std::span<const std::byte> from, void* to) = 0;
  /// Waits for all queued work, then copies to the host.
  virtual void download(const void* from, std::span<std::byte> to) = 0;
  [[nodiscard]] virtual std::unique_ptr<StagingSlot> make_staging_slot(std::size_t bytes) = 0;
  /// Whether a data set of this size should stay in this backend's memory, so that it is copied once and not
  /// in every pass.
  [[nodiscard]] virtual bool should_keep(std::size_t bytes) const = 0;

  /// `step` calls the operations below, the same ones with the same views each time, and nothing that
  /// allocates or waits, except in its first call, which is therefore not captured. This backend and the
  /// memory that the step uses must outlive the result.
  [[nodiscard]] virtual std::unique_ptr<RecordedStep> record(std::function<void()> step) = 0;

  /// Compiles the plan to a single step if this backend can. The backend and the memory that the plan refers
  /// to must outlive the result.
  [[nodiscard]] virtual Compiled compile(const StepPlan& /*plan*/) {
    return {nullptr, "this device trains layer by layer"};
  }

  // For profilers; these functions do nothing by default.
  /// Begins a named range of this thread's time, nested in the ranges that are open. `number` distinguishes
  /// ranges of the same name.
  virtual void begin_range(const char* /*name*/, std::int64_t /*number*/) {}
  virtual void end_range() noexcept {}
  /// Must be called once by each thread other than the one that made the backend, before its first call of
  /// the backend or of a StagingSlot: selects the device for the thread and names the thread for profilers.
  virtual void attach_thread(const char* /*name*/) {}
  /// Starts or stops the profiler's capture, if the profiler was set up to capture on request.
  virtual void capture_profile(bool /*on*/) {}

  // Operations are prepared once for a batch size and allocate all memory that they need then; their calls
  // allocate nothing and wait for nothing, except that synchronized batch normalization on the CPU waits for
  // the other ranks. The backend must outlive them.
  // `rows` is 0 only for synchronized batch normalization.
  [[nodiscard]] virtual std::unique_ptr<LayerOp> prepare(const Operation& operation, std::int64_t rows) = 0;
  /// Bytes of host memory that the operation allocates for batches of `rows` rows, besides its operands: in
  /// steps of training (`trains`) or of evaluation.
  [[nodiscard]] virtual std::uint64_t host_bytes(const PlannedOperation& /*operation*/, std::int64_t /*rows*/,
                                                 bool /*trains*/) const {
    return 0;
  }
  /// `classes`: number of columns of the outputs.
  [[nodiscard]] virtual std::unique_ptr<LossOp> prepare(const Loss& loss, std::int64_t classes,
                                                        std::int64_t rows) = 0;
  /// Muon's update of these matrices, which must not overlap. It needs memory for two copies of the largest
  /// matrix and for two square matrices of its shorter side. Errors: also DeviceError if the device's matrix
  /// multiplication library is missing.
  [[nodiscard]] virtual std::unique_ptr<MuonOp> prepare(const Muon& muon,
                                                        std::span<const MuonMatrix> matrices) = 0;

  // The functions below are called within a step.

  /// x (N, K): the samples of the run's current batch, transformed; labels (N).
  virtual void load_batch(const PixelTransform& transform, Matrix x, Labels labels) = 0;
  /// x: the samples of the batch that was loaded last, transformed in another way.
  virtual void load_again(const PixelTransform& transform, Matrix x) = 0;

  /// Makes work that is queued from now on wait for the fence's work. At the end of each step a RecordedStep
  /// waits for all of the step's fences by itself.
  virtual void wait(const Fence& fence) = 0;

  /// Replaces `values` on each rank of communicator() with their sum over all ranks, after the work of
  /// `before`. All ranks make the same calls in the same order. The sum is complete when the returned fence's
  /// work is.
  [[nodiscard]] virtual Fence sum_over_ranks(Vector values, SumOrder order, const Fence& before) = 0;

  /// sum += share * values; the sizes must be equal.
  virtual void add_scaled(float share, ConstVector values, Vector sum) = 0;
  /// values = 0.
  virtual void clear(Vector values) = 0;

  /// averages = lerp(averages, parameters, average_weight(decay, models)); counts the model. Sizes must be
  /// equal.
  virtual void average(double decay, ConstVector parameters, Vector averages, AverageProgress* progress) = 0;
  /// Exchanges the values of a and b; the sizes must be equal.
  virtual void swap(Vector a, Vector b) = 0;

  /// gradients *= min(1, max_norm / (their 2-norm + 1e-6)), as torch.nn.utils.clip_grad_norm_; the norm is
  /// stored in `norm`. If `max_norm` is infinite, the norm is only measured.
  virtual void clip_gradient_norm(float max_norm, Vector gradients, GradientNorm* norm) = 0;

  /// gradients = min(max(gradients, -limit), limit), as torch.nn.utils.clip_grad_value_.
  virtual void clip_gradient_value(float limit, Vector gradients) = 0;

  /// One optimizer step with the run's learning rate; increments the step count in `progress`, if there is
  /// one.
  virtual void update(const Optimizer& optimizer, const OptimizerViews& views) = 0;
};

/// A profiler range that ends with its scope.
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
