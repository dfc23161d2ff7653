// A wrapper around another backend that checks how it is called: shapes, memory, and the order of calls.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "host/backend/backend.hpp"

namespace warpfit::test {

/// Forwards all calls. A call that violates a rule of the interface throws std::logic_error, which names the
/// rule: operations are called inside a recorded step, and nothing there allocates or copies; views refer to
/// this backend's memory and match each other and the prepared operation; a backward pass follows a forward
/// pass in training mode over the same memory; gradients are used only after waiting for their fence.
class CheckedBackend final : public Backend {
 public:
  explicit CheckedBackend(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}

  [[nodiscard]] std::string description() const override { return backend_->description(); }
  [[nodiscard]] Communicator& communicator() override { return backend_->communicator(); }
  [[nodiscard]] bool is_host() const override { return backend_->is_host(); }
  [[nodiscard]] void* allocate(std::size_t bytes) override;
  void deallocate(void* memory) noexcept override;
  void upload(std::span<const std::byte> from, void* to) override;
  void download(const void* from, std::span<std::byte> to) override;
  [[nodiscard]] std::unique_ptr<StagingSlot> make_staging_slot(std::size_t bytes) override;
  [[nodiscard]] bool should_keep(std::size_t bytes) const override { return backend_->should_keep(bytes); }
  [[nodiscard]] std::uint64_t host_bytes(const PlannedOperation& operation, std::int64_t rows,
                                         bool trains) const override {
    return backend_->host_bytes(operation, rows, trains);
  }
  [[nodiscard]] std::unique_ptr<RecordedStep> record(std::function<void()> step) override;
  [[nodiscard]] Compiled compile(const StepPlan& plan) override { return backend_->compile(plan); }
  void begin_range(const char* name, std::int64_t number) override { backend_->begin_range(name, number); }
  void end_range() noexcept override { backend_->end_range(); }
  void attach_thread(const char* name) override { backend_->attach_thread(name); }
  void capture_profile(bool on) override { backend_->capture_profile(on); }
  [[nodiscard]] std::unique_ptr<LayerOp> prepare(const Operation& operation, std::int64_t rows) override;
  [[nodiscard]] std::unique_ptr<LossOp> prepare(const Loss& loss, std::int64_t classes,
                                                std::int64_t rows) override;
  [[nodiscard]] std::unique_ptr<MuonOp> prepare(const Muon& muon,
                                                std::span<const MuonMatrix> matrices) override;
  void load_batch(const PixelTransform& transform, Matrix x, Labels labels) override;
  void load_again(const PixelTransform& transform, Matrix x) override;
  void wait(const Fence& fence) override;
  [[nodiscard]] Fence sum_over_ranks(Vector values, SumOrder order, const Fence& before) override;
  void add_scaled(float share, ConstVector gradients, Vector sum) override;
  void clear(Vector values) override;
  void average(double decay, ConstVector parameters, Vector averages, AverageProgress* progress) override;
  void swap(Vector a, Vector b) override;
  void clip_gradient_norm(float max_norm, Vector gradients, GradientNorm* norm) override;
  void clip_gradient_value(float limit, Vector gradients) override;
  void update(const Optimizer& optimizer, const OptimizerViews& views) override;

  /// Number of copies to the host; each of them waits for the device.
  [[nodiscard]] std::int64_t downloads() const { return downloads_; }

  // Used by the backend's wrapped operations.

  void expect(bool holds, const std::string& rule) const;
  void expect_in_step() const { expect(in_step_, "operations are called inside a step"); }
  void expect_outside_step() const {
    expect(!in_step_, "nothing inside a step allocates, copies or prepares");
  }
  /// Requires that the memory is an allocation of this backend or part of one.
  void expect_own(const void* memory, std::size_t bytes, const std::string& what) const;
  void expect_own(ConstVector values, const std::string& what) const;
  void expect_own(ConstMatrix matrix, std::int64_t rows, const std::string& what) const;
  void add_allocation(const void* memory, std::size_t bytes) {
    allocations_[static_cast<const std::byte*>(memory)] = bytes;
  }
  void remove_allocation(const void* memory) { allocations_.erase(static_cast<const std::byte*>(memory)); }
  void expect_gradients(ConstVector gradients) const;
  void note_fence(const Fence& fence) { gradients_pending_ = gradients_pending_ || fence.is_open(); }

 private:
  std::unique_ptr<Backend> backend_;
  std::map<const std::byte*, std::size_t> allocations_;
  std::int64_t downloads_ = 0;
  bool in_step_ = false;            // a step is being recorded or run
  bool loaded_ = false;             // the step has loaded its batch
  bool gradients_pending_ = false;  // gradients of this step may still be written
};

}  // namespace warpfit::test
