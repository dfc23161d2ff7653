#include "cuda/cuda_backend.hpp"

#include <algorithm>

#include "cuda/fused/fused_step.hpp"
#include "cuda/muon_op.hpp"
#include "cuda/ops/averaging.hpp"
#include "cuda/ops/gradient_clipping.hpp"
#include "cuda/ops/gradient_sum.hpp"
#include "cuda/ops/optimizer.hpp"
#include "cuda/ops/pixels.hpp"
#include "cuda/ops/sgd.hpp"
#include "cuda/recorded_step.hpp"
#include "cuda/runtime/copy.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda/runtime/profiler.hpp"
#include "cuda/staging_slot.hpp"

namespace warpfit {

CudaBackend::CudaBackend(const BackendOptions& options)
    : communicator_(options.communicator == nullptr ? &alone_ : options.communicator),
      device_(options.device.index),
      precision_(options.precision),
      fast_(options.fast),
      warn_(options.warn),
      products_(compute_, options.precision, options.products),
      position_(*this, 1),
      arrived_(*this, std::vector<unsigned>(1)) {
  attach_thread("trainer");
  if (communicator_->sums_gradients()) sums_.emplace(*communicator_, compute_, products_);
}

// Queued work may still read memory that is freed next.
CudaBackend::~CudaBackend() { drain(); }

void CudaBackend::drain() noexcept {
  if (sums_ && sums_->is_unwinding()) sums_->abandon();  // other ranks may have failed, too
  if (sums_) sums_->drain();                             // first: other work may wait for it
  copy_.drain();
  products_.drain();
  compute_.drain();
}

void CudaBackend::join() {
  products_.join();
  if (sums_) sums_->join();
}

cudaStream_t CudaBackend::joined() {
  join();
  return compute_.get();
}

std::string CudaBackend::description() const {
  return describe_device(device_) + (sums_ ? ", " + sums_->library() : "");
}

void* CudaBackend::allocate(std::size_t bytes) { return DeviceMemory(bytes).release(); }

// Freeing memory waits for all queued work, which never ends if a sum waits for a rank that has failed.
void CudaBackend::deallocate(void* memory) noexcept {
  if (sums_ && sums_->is_unwinding()) drain();
  free_device_memory(memory);
}

void CudaBackend::abandon_sums() noexcept {
  if (!sums_) return;
  sums_->abandon();
  drain();
}

void CudaBackend::upload(std::span<const std::byte> from, void* to) {
  if (from.empty()) return;
  copy_to_device(to, from.data(), from.size(), joined());
  compute_.synchronize();  // page-locked memory is read only when the copy runs
}

void CudaBackend::download(const void* from, std::span<std::byte> to) {
  const auto stream = joined();
  if (!to.empty()) copy_to_host(to.data(), from, to.size(), stream);
  compute_.synchronize();
  if (sums_) sums_->check_connection();
}

std::unique_ptr<StagingSlot> CudaBackend::make_staging_slot(std::size_t bytes) {
  auto slot = std::make_unique<CudaStagingSlot>(bytes, copy_, compute_);
  if (!slot->pinned() && !warned_of_pageable_) {
    warn_(
        "page-locked memory cannot be allocated: data is copied to the GPU from pageable memory, which is "
        "slower");
    warned_of_pageable_ = true;
  }
  return slot;
}

// Half of the free memory is left for later allocations of the training.
bool CudaBackend::should_keep(std::size_t bytes) const { return bytes <= free_device_bytes() / 2; }

std::unique_ptr<RecordedStep> CudaBackend::record(std::function<void()> step) {
  return std::make_unique<CudaRecordedStep>(*this, std::move(step));
}

Compiled CudaBackend::compile(const StepPlan& plan) {
  return make_fused_step(*this, device_, precision_, compute_, plan);
}

void CudaBackend::begin_range(const char* name, std::int64_t number) { begin_profile_range(name, number); }
void CudaBackend::end_range() noexcept { end_profile_range(); }
void CudaBackend::attach_thread(const char* name) {
  use_device(device_);
  name_this_thread(name);
}
void CudaBackend::capture_profile(bool on) {
  join();
  compute_.synchronize();  // earlier work completes before capture starts or stops
  capture_profile_now(on);
}

OpContext CudaBackend::op_context() {
  return {*this, compute_, products_, position_.data(), arrived_.data(), precision_, fast_, dnn_};
}

std::unique_ptr<LayerOp> CudaBackend::prepare(const Operation& operation, std::int64_t rows) {
  return make_layer_op(op_context(), operation, rows);
}

std::unique_ptr<LossOp> CudaBackend::prepare(const Loss& loss, std::int64_t, std::int64_t rows) {
  return make_loss_op(op_context(), loss, rows);
}

std::unique_ptr<MuonOp> CudaBackend::prepare(const Muon& muon, std::span<const MuonMatrix> matrices) {
  return make_muon_op(op_context(), muon, matrices);
}

void CudaBackend::wait(const Fence& fence) {
  if (fence.is_open()) join();
}

Fence CudaBackend::sum_over_ranks(Vector values, SumOrder order, const Fence& before) {
  if (!sums_) return before;
  sums_->start(values, order);
  return Fence(true);
}

void CudaBackend::load_batch(const PixelTransform& transform, Matrix x, Labels labels) {
  cuda::load_batch(transform, position(), x, labels, compute_.get());
}

void CudaBackend::load_again(const PixelTransform& transform, Matrix x) {
  cuda::load_again(transform, position(), x, compute_.get());
}

void CudaBackend::clip_gradient_norm(float max_norm, Vector gradients, GradientNorm* norm) {
  cuda::clip_gradient_norm(max_norm, gradients, norm, compute_.get());
}

void CudaBackend::clip_gradient_value(float limit, Vector gradients) {
  cuda::clip_gradient_value(limit, gradients, compute_.get());
}

void CudaBackend::add_scaled(float share, ConstVector values, Vector sum) {
  cuda::add_scaled(share, values, sum, compute_.get());
}

void CudaBackend::average(double decay, ConstVector parameters, Vector averages, AverageProgress* progress) {
  cuda::average(decay, parameters, averages, progress, compute_.get());
}

void CudaBackend::swap(Vector a, Vector b) { cuda::swap(a, b, compute_.get()); }

void CudaBackend::clear(Vector values) { cuda::clear(values, compute_.get()); }

void CudaBackend::update(const Optimizer& optimizer, const OptimizerViews& views) {
  if (is_plain_sgd(optimizer) && views.ranges.empty()) {
    cuda::sgd_update(views.parameters, views.gradients, &position()->rate, compute_.get());
  } else {
    cuda::optimizer_update(optimizer, views, &position()->rate, compute_.get());
  }
}

}  // namespace warpfit
