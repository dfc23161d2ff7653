#include "host/cpu/cpu_backend.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "host/base/error.hpp"
#include "host/cpu/bias_gradient.hpp"
#include "host/cpu/dropout.hpp"
#include "host/cpu/gradient_clipping.hpp"
#include "host/cpu/mean_squared_error.hpp"
#include "host/cpu/optimizer.hpp"
#include "host/cpu/pixels.hpp"
#include "host/cpu/processor.hpp"
#include "host/cpu/relu.hpp"
#include "host/cpu/sgd.hpp"
#include "host/cpu/softmax_cross_entropy.hpp"

namespace warpfit {
namespace {

constexpr std::align_val_t kAlignment{64};

// How many threads there are of those asked for. oneDNN shares its work among as many as it was promised:
// with fewer (OMP_THREAD_LIMIT, OMP_DYNAMIC) parts of its results would be missing.
int start_threads(int asked) {
  omp_set_dynamic(0);
  omp_set_num_threads(asked);
  int started = 1;
#pragma omp parallel
#pragma omp single
  started = omp_get_num_threads();
  omp_set_num_threads(started);
  return started;
}

// Host and device are the same memory, and a batch run is over when it returns.
class CpuSlot final : public StagingSlot {
 public:
  explicit CpuSlot(std::size_t bytes) : memory_(bytes) {}
  std::span<std::uint8_t> host() override { return memory_; }
  const std::uint8_t* submit(std::size_t) override { return memory_.data(); }
  void submit_to(std::uint8_t* to, std::size_t first, std::size_t bytes) override {
    std::memcpy(to, memory_.data() + first, bytes);
  }
  void retire() override {}
  void wait_until_reusable() override {}

 private:
  std::vector<std::uint8_t> memory_;
};

}  // namespace

class CpuBackend::Step final : public RecordedStep {
 public:
  Step(CpuBackend& backend, std::function<void()> step) : backend_(backend), step_(std::move(step)) {}

  void run(const BatchRun& run) override {
    backend_.run_ = run;
    for (std::int64_t batch = 0; batch < run.batches; ++batch) {
      if (run.rates != nullptr) backend_.run_.rate = run.rates[batch];
      step_();
      backend_.run_.first += run.rows;
      ++backend_.run_.step;
    }
  }

 private:
  CpuBackend& backend_;
  std::function<void()> step_;
};

CpuBackend::CpuBackend(int threads) : threads_(start_threads(threads > 0 ? threads : usable_threads())) {}

std::string CpuBackend::description() const {
  return fmt::format("CPU ({}, {} thread{}, {})", processor_name(), threads_, threads_ == 1 ? "" : "s",
                     Matmul::library());
}

void* CpuBackend::allocate(std::size_t bytes) {
  void* memory = ::operator new(std::max<std::size_t>(bytes, 1), kAlignment, std::nothrow);
  if (memory == nullptr)
    throw OutOfMemory(fmt::format("allocating {} bytes for training: out of memory", bytes));
  return memory;
}

void CpuBackend::deallocate(void* memory) noexcept { ::operator delete(memory, kAlignment); }

void CpuBackend::upload(std::span<const std::byte> from, void* to) {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

void CpuBackend::download(const void* from, std::span<std::byte> to) {
  if (!to.empty()) std::memcpy(to.data(), from, to.size());
}

std::unique_ptr<StagingSlot> CpuBackend::make_staging_slot(std::size_t bytes) {
  return std::make_unique<CpuSlot>(bytes);
}

std::unique_ptr<RecordedStep> CpuBackend::record(std::function<void()> step) {
  return std::make_unique<Step>(*this, std::move(step));
}

// Batches are read from the staging slots, which cost nothing to refill.
bool CpuBackend::should_keep(std::size_t) const { return false; }

void CpuBackend::load_batch(Matrix x, Labels labels) {
  const SampleView& samples = run_.samples;
  if (samples.order == nullptr) {
    const auto* pixels = samples.pixels + run_.first * samples.sample_size;
    cpu::pixels_to_float({pixels, static_cast<std::size_t>(x.size())}, x.values());
    std::memcpy(labels.data(), samples.labels + run_.first, labels.size());
    return;
  }
  for (std::int64_t row = 0; row < x.rows; ++row) {
    const std::int64_t sample = samples.order[run_.first + row];
    const auto size = static_cast<std::size_t>(x.cols);
    cpu::pixels_to_float({samples.pixels + sample * x.cols, size}, {x.data + row * x.cols, size});
    labels[row] = samples.labels[sample];
  }
}

void CpuBackend::linear_forward(ConstMatrix x, ConstMatrix w, ConstVector b, Activation activation,
                                Matrix y) {
  matmul_.forward(x, w, b, y);
  if (activation == Activation::kRelu) cpu::relu_forward(y.values());
}

void CpuBackend::linear_backward_input(ConstMatrix dy, ConstMatrix w, ConstMatrix x, Activation activation,
                                       Matrix dx) {
  matmul_.backward_input(dy, w, dx);
  if (activation == Activation::kRelu) cpu::relu_backward(x.values(), dx.values());
}

void CpuBackend::linear_backward_weights(ConstMatrix x, ConstMatrix dy, Matrix dw, Vector db) {
  Matmul::backward_weights(x, dy, 1.0F, 0.0F, dw);
  cpu::bias_gradient(dy, db);
}

void CpuBackend::sgd_update(Vector parameters, ConstVector gradients) {
  cpu::sgd_update(parameters, gradients, run_.rate);
}

void CpuBackend::clip_gradient_norm(float most, Vector gradients, GradientNorm* norm) {
  cpu::clip_gradient_norm(most, gradients, *norm);
}

void CpuBackend::clip_gradient_value(float most, Vector gradients) {
  cpu::clip_gradient_value(most, gradients);
}

void CpuBackend::optimizer_update(const Optimizer& optimizer, const OptimizerViews& views) {
  cpu::optimizer_update(optimizer, views, run_.rate);
}

void CpuBackend::linear_backward_sgd(ConstMatrix x, ConstMatrix dy, Matrix w, Vector b) {
  Matmul::backward_weights(x, dy, -run_.rate, 1.0F, w);
  cpu::bias_sgd(dy, run_.rate, b);
}

void CpuBackend::dropout(const Dropout& dropout, Matrix values) { cpu::dropout(dropout, run_.step, values); }

Vector CpuBackend::row_losses(std::int64_t rows) {
  const auto needed = static_cast<std::size_t>(rows);
  if (row_losses_.size() < needed) row_losses_.resize(needed);
  return row_losses_;
}

void CpuBackend::softmax_cross_entropy(ConstMatrix logits, ConstLabels labels, float label_smoothing,
                                       Matrix dlogits, Metrics* metrics) {
  cpu::softmax_cross_entropy(logits, labels, label_smoothing, dlogits, row_losses(logits.rows), *metrics);
}

void CpuBackend::mean_squared_error(ConstMatrix outputs, ConstLabels labels, Matrix doutputs,
                                    Metrics* metrics) {
  cpu::mean_squared_error(outputs, labels, doutputs, row_losses(outputs.rows), *metrics);
}

}  // namespace warpfit
