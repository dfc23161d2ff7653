#include "cuda/cuda_backend.hpp"

#include <algorithm>

#include "cuda/fused/fused_step.hpp"
#include "cuda/ops/dropout.hpp"
#include "cuda/ops/gradient_clipping.hpp"
#include "cuda/ops/mean_squared_error.hpp"
#include "cuda/ops/optimizer.hpp"
#include "cuda/ops/pixels.hpp"
#include "cuda/ops/sgd.hpp"
#include "cuda/ops/softmax_cross_entropy.hpp"
#include "cuda/recorded_step.hpp"
#include "cuda/runtime/copy.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda/runtime/profiler.hpp"
#include "cuda/staging_slot.hpp"

namespace warpfit {

CudaBackend::CudaBackend(const BackendOptions& options)
    : device_(options.device.index),
      precision_(options.precision),
      warn_(options.warn),
      products_(compute_, options.precision, options.products),
      position_(*this, 1),
      arrived_(*this, std::vector<unsigned>(1)) {
  attach_thread("trainer");
}

// What is queued may still read memory that is freed next.
CudaBackend::~CudaBackend() {
  copy_.drain();
  products_.drain();
  compute_.drain();
}

cudaStream_t CudaBackend::joined() {
  join();
  return compute_.get();
}

std::string CudaBackend::description() const { return describe_device(device_); }

void* CudaBackend::allocate(std::size_t bytes) { return DeviceMemory(bytes).release(); }
void CudaBackend::deallocate(void* memory) noexcept { free_device_memory(memory); }

void CudaBackend::upload(std::span<const std::byte> from, void* to) {
  if (from.empty()) return;
  copy_to_device(to, from.data(), from.size(), joined());
  compute_.synchronize();  // page-locked memory is read when the copy runs
}

void CudaBackend::download(const void* from, std::span<std::byte> to) {
  const auto stream = joined();
  if (!to.empty()) copy_to_host(to.data(), from, to.size(), stream);
  compute_.synchronize();
}

std::unique_ptr<StagingSlot> CudaBackend::make_staging_slot(std::size_t bytes) {
  auto slot = std::make_unique<CudaStagingSlot>(bytes, copy_, compute_);
  if (!slot->pinned() && !warned_of_pageable_) {
    warn_("the system refuses page-locked memory: data is sent to the GPU from ordinary memory, more slowly");
    warned_of_pageable_ = true;
  }
  return slot;
}

// Half of what is free leaves room for what training allocates later.
bool CudaBackend::should_keep(std::size_t bytes) const { return bytes <= free_device_bytes() / 2; }

std::unique_ptr<RecordedStep> CudaBackend::record(std::function<void()> step) {
  return std::make_unique<CudaRecordedStep>(*this, std::move(step));
}

std::unique_ptr<RecordedStep> CudaBackend::fuse(const WholeStep& step, std::string& reason) {
  if (precision_ != Precision::kFp32) {
    reason = "its products are fp32 alone";
    return nullptr;
  }
  return make_fused_step(*this, device_, compute_, step, reason);
}

void CudaBackend::begin_range(const char* name, std::int64_t number) { begin_profile_range(name, number); }
void CudaBackend::end_range() noexcept { end_profile_range(); }
void CudaBackend::attach_thread(const char* name) {
  use_device(device_);
  name_this_thread(name);
}
void CudaBackend::capture_profile(bool on) {
  join();
  compute_.synchronize();  // what was queued before belongs to the other side
  capture_profile_now(on);
}

void CudaBackend::load_batch(Matrix x, Labels labels) { cuda::load_batch(position(), x, labels, joined()); }

void CudaBackend::linear_forward(ConstMatrix x, ConstMatrix w, ConstVector b, ActivationKind activation,
                                 Matrix y) {
  join();
  products_.forward(x, w, b, activation, y);
}

void CudaBackend::linear_backward_input(ConstMatrix dy, ConstMatrix w, ConstMatrix x,
                                        ActivationKind activation, Matrix dx) {
  products_.backward_input(dy, w, x, activation, dx);
}

void CudaBackend::linear_backward_weights(ConstMatrix x, ConstMatrix dy, Matrix dw, Vector db) {
  products_.backward_weights(x, dy, dw, db);
}

void CudaBackend::sgd_update(Vector parameters, ConstVector gradients) {
  cuda::sgd_update(parameters, gradients, &position()->rate, joined());
}

void CudaBackend::clip_gradient_norm(float most, Vector gradients, GradientNorm* norm) {
  cuda::clip_gradient_norm(most, gradients, norm, joined());
}

void CudaBackend::clip_gradient_value(float most, Vector gradients) {
  cuda::clip_gradient_value(most, gradients, joined());
}

void CudaBackend::optimizer_update(const Optimizer& optimizer, const OptimizerViews& views) {
  cuda::optimizer_update(optimizer, views, &position()->rate, joined());
}

void CudaBackend::linear_backward_sgd(ConstMatrix x, ConstMatrix dy, Matrix w, Vector b) {
  products_.backward_sgd(x, dy, position(), w, b);
}

void CudaBackend::dropout(const DropoutMask& dropout, Matrix values) {
  cuda::dropout(dropout, &position()->step, values, compute_.get());
}

// Recorded steps go on writing to the memory they were recorded with, so none is given back.
cuda::RowResult* CudaBackend::row_results(std::int64_t rows) {
  const auto needed = static_cast<std::size_t>(rows);
  if (row_results_.empty() || row_results_.back().size() < needed) row_results_.emplace_back(*this, needed);
  return row_results_.back().data();
}

void CudaBackend::softmax_cross_entropy(ConstMatrix logits, ConstLabels labels, float label_smoothing,
                                        Matrix dlogits, Metrics* metrics) {
  cuda::softmax_cross_entropy(logits, labels, label_smoothing, dlogits, metrics, row_results(logits.rows),
                              arrived_.data(), joined());
}

void CudaBackend::mean_squared_error(ConstMatrix outputs, ConstLabels labels, Matrix doutputs,
                                     Metrics* metrics) {
  cuda::mean_squared_error(outputs, labels, doutputs, metrics, row_results(outputs.rows), arrived_.data(),
                           joined());
}

}  // namespace warpfit
