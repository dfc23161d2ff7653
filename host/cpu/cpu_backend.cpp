#include "host/cpu/cpu_backend.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "host/backend/pixel_transform_formula.hpp"
#include "host/base/error.hpp"
#include "host/cpu/averaging.hpp"
#include "host/cpu/conv_op.hpp"
#include "host/cpu/gradient_clipping.hpp"
#include "host/cpu/gradient_sum.hpp"
#include "host/cpu/huge_pages.hpp"
#include "host/cpu/layer_ops.hpp"
#include "host/cpu/muon.hpp"
#include "host/cpu/optimizer.hpp"
#include "host/cpu/pixels.hpp"
#include "host/cpu/processor.hpp"
#include "host/cpu/rank_moments.hpp"
#include "host/cpu/sgd.hpp"

namespace warpfit {
namespace {

constexpr std::size_t kAlignment = 64;

// Host and device share the same memory, and a run of batches is complete when the call returns.
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
      if (run.loss_divisors != nullptr) backend_.run_.loss_divisor = run.loss_divisors[batch];
      try {
        step_();
      } catch (...) {
        if (backend_.sums_) backend_.sums_->abandon();  // before the gradients' memory is freed
        throw;
      }
      backend_.run_.first += run.rows;
      ++backend_.run_.step;
    }
  }

 private:
  CpuBackend& backend_;
  std::function<void()> step_;
};

CpuBackend::CpuBackend(int threads, Communicator* communicator)
    : communicator_(communicator == nullptr ? &alone_ : communicator),
      pool_(threads > 0 ? threads : usable_threads()),
      products_(pool_) {
  if (!communicator_->is_alone()) sums_.emplace(*communicator_);
}

std::string CpuBackend::description() const {
  return fmt::format("CPU ({}, {} thread{}, {}{})", processor_name(), pool_.threads(),
                     pool_.threads() == 1 ? "" : "s", cpu::Matmul::library(),
                     cpu::AmxProduct::is_available() ? ", AMX" : "");
}

void* CpuBackend::allocate(std::size_t bytes) {
  void* memory = bytes >= cpu::kHugePage
                     ? cpu::allocate_in_huge_pages(bytes)
                     : std::aligned_alloc(kAlignment, (bytes / kAlignment + 1) * kAlignment);
  if (memory == nullptr)
    throw OutOfMemory(fmt::format("allocating {} bytes for training: out of memory", bytes));
  return memory;
}

void CpuBackend::deallocate(void* memory) noexcept { std::free(memory); }

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

// Batches are read directly from the staging slots, so there is no copy to save.
bool CpuBackend::should_keep(std::size_t) const { return false; }

void CpuBackend::load_batch(const PixelTransform& transform, Matrix x, Labels labels) {
  cpu::load_samples(pool_, transform, run_, x);
  for (std::int64_t row = 0; row < x.rows; ++row)
    labels[static_cast<std::size_t>(row)] = run_.samples.labels[sample_index(run_.samples, run_.first + row)];
}

void CpuBackend::load_again(const PixelTransform& transform, Matrix x) {
  cpu::load_samples(pool_, transform, run_, x);
}

// All other calls are synchronous.
void CpuBackend::wait(const Fence& fence) {
  if (fence.is_open() && sums_) sums_->wait();
}

Fence CpuBackend::sum_over_ranks(Vector values, SumOrder order, const Fence&) {
  if (!sums_) return {};
  sums_->start(values, order);
  return Fence(true);
}

void CpuBackend::clip_gradient_norm(float max_norm, Vector gradients, GradientNorm* norm) {
  cpu::clip_gradient_norm(pool_, max_norm, gradients, *norm);
}

void CpuBackend::clip_gradient_value(float limit, Vector gradients) {
  cpu::clip_gradient_value(pool_, limit, gradients);
}

void CpuBackend::add_scaled(float share, ConstVector values, Vector sum) {
  cpu::add_scaled(pool_, share, values, sum);
}

void CpuBackend::average(double decay, ConstVector parameters, Vector averages, AverageProgress* progress) {
  cpu::average(pool_, decay, parameters, averages, *progress);
}

void CpuBackend::swap(Vector a, Vector b) { cpu::swap(pool_, a, b); }

void CpuBackend::clear(Vector values) { cpu::clear(pool_, values); }

void CpuBackend::update(const Optimizer& optimizer, const OptimizerViews& views) {
  if (is_plain_sgd(optimizer) && views.ranges.empty()) {
    cpu::sgd_update(pool_, views.parameters, views.gradients, run_.rate);
  } else {
    cpu::optimizer_update(pool_, optimizer, views, run_.rate);
  }
}

std::unique_ptr<LayerOp> CpuBackend::prepare(const Operation& operation, std::int64_t rows) {
  return cpu::make_layer_op({*this, pool_, products_, run_}, operation, rows);
}

// Other operations, and batch normalization within a rank, allocate at most a few values for each channel.
// With AMX, products of linear layers have 2 MiB a thread, whatever the number of layers, which are not
// counted.
std::uint64_t CpuBackend::host_bytes(const PlannedOperation& operation, std::int64_t rows,
                                     bool trains) const {
  if (const auto* conv = std::get_if<ConvOperation>(&operation.operation))
    return cpu::conv_op_bytes(pool_, *conv, rows,
                              {trains && operation.has_input_gradient, trains && operation.trains});
  if (const auto* norm = std::get_if<BatchNormOperation>(&operation.operation))
    return trains && norm->is_synchronized ? cpu::RankMoments::bytes(*norm, communicator_->size()) : 0;
  const auto* pool = std::get_if<PoolOperation>(&operation.operation);
  if (pool == nullptr || pool->kind != PoolKind::kMax) return 0;
  return sizeof(std::int32_t) * static_cast<std::uint64_t>(rows * pool->out().size());
}

std::unique_ptr<LossOp> CpuBackend::prepare(const Loss& loss, std::int64_t, std::int64_t rows) {
  return cpu::make_loss_op({*this, pool_, products_, run_}, loss, rows);
}

std::unique_ptr<MuonOp> CpuBackend::prepare(const Muon& muon, std::span<const MuonMatrix> matrices) {
  return cpu::make_muon_op(pool_, products_, run_, muon, matrices);
}

}  // namespace warpfit
