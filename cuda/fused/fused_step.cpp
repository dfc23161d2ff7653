#include "cuda/fused/fused_step.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "cuda/fused/phases.hpp"

namespace warpfit {
namespace {

using cuda::FusedExchange;
using cuda::FusedPlan;

constexpr std::size_t kAlignment = 32;  // in floats: 128 bytes

// Sets the address of each matrix after `start`, or null if `start` is null; returns the number of floats.
std::size_t share_out(const FusedPlan& plan, float* start, FusedExchange& exchange) {
  std::size_t used = 0;
  const auto take = [&](int width) {
    float* matrix = start == nullptr ? nullptr : start + used;
    used += (static_cast<std::size_t>(plan.rows) * FusedPlan::padded(width) + kAlignment - 1) / kAlignment *
            kAlignment;
    return matrix;
  };
  for (int i = 1; i < plan.layers; ++i) {
    if (i + 1 < plan.layers) exchange.values[i] = take(plan.widths[i]);
    if (i > 1) exchange.gradients[i] = take(plan.widths[i]);
  }
  exchange.part_logits = take(plan.owners * FusedPlan::padded(plan.widths[plan.layers]));
  exchange.dlogits = take(plan.widths[plan.layers]);
  return used;
}

// An evaluation uses the kernel of plain SGD; its optimizer is never executed.
Optimizer optimizer_of(const StepPlan& step) { return step.update ? step.update->optimizer : Sgd{}; }

}  // namespace

CudaFusedStep::CudaFusedStep(Backend& backend, const Stream& stream, const StepPlan& step,
                             const cuda::Mlp& mlp, const FusedPlan& plan)
    : backend_(backend), stream_(stream), optimizer_(optimizer_of(step)) {
  FusedExchange exchange;
  exchange_ = {backend, std::vector<float>(share_out(plan, nullptr, exchange))};  // the padding must be zeros
  share_out(plan, exchange_.data(), exchange);
  results_ = {backend, static_cast<std::size_t>(plan.rows)};
  arrived_ = {backend, std::vector<unsigned>(1)};
  exchange.results = results_.data();
  exchange.arrived = arrived_.data();
  if (cuda::kMeasuresPhases) {
    phase_nanoseconds_ = {
        backend, std::vector<unsigned long long>(static_cast<std::size_t>(plan.blocks) * cuda::kFusedPhases)};
    exchange.phase_nanoseconds = phase_nanoseconds_.data();
  }

  run_.plan = plan;
  run_.exchange = exchange;
  run_.parameters = step.parameters.data();
  std::ranges::copy(mlp.weights, run_.weights.begin());
  std::ranges::copy(mlp.biases, run_.biases.begin());
  if (step.update) {
    for (std::size_t k = 0; k < kMaxMoments; ++k) run_.moments[k] = step.update->moments[k].data();
    run_.progress = step.update->progress;
  }
  run_.label_smoothing = step.loss.label_smoothing;
  run_.trains = step.update.has_value();
  run_.metrics = step.metrics;
  run_.timeout.note = timeout_note_.data();
}

void CudaFusedStep::run(const BatchRun& run) {
  if (run.batches == 0) return;
  const ProfileRange range(backend_, "fused", run.batches);
  run_.batches = run;
  cuda::launch_fused(optimizer_, run_, stream_.get());
  measured_steps_ += run.batches;
  const auto barriers = static_cast<unsigned>(cuda::fused_barriers(run_.plan, run_.trains));
  run_.passed += static_cast<unsigned>(run.batches) * barriers * static_cast<unsigned>(run_.plan.blocks);
}

std::vector<KernelPhase> CudaFusedStep::take_kernel_phases() {
  if (!cuda::kMeasuresPhases || measured_steps_ == 0) return {};
  const auto sums = phase_nanoseconds_.to_host();
  const double seconds = 1e-9 / static_cast<double>(measured_steps_);
  std::vector<KernelPhase> phases;
  for (std::size_t phase = 0; phase < cuda::kFusedPhases; ++phase) {
    std::vector<double> blocks;
    for (std::size_t at = phase; at < sums.size(); at += cuda::kFusedPhases) {
      blocks.push_back(static_cast<double>(sums[at]) * seconds);
    }
    std::ranges::sort(blocks);
    phases.push_back({cuda::kFusedPhaseNames[phase], blocks[blocks.size() / 2], blocks.back()});
  }
  phase_nanoseconds_.upload(std::vector<unsigned long long>(sums.size()));
  measured_steps_ = 0;
  return phases;
}

Compiled make_fused_step(Backend& backend, int device, Precision precision, const Stream& stream,
                         const StepPlan& step) {
  Compiled compiled;
  const auto mlp = cuda::match_mlp(step, precision, compiled.reason);
  if (!mlp) return compiled;
  const auto limits = device_limits(device);
  const auto plan = cuda::plan_fused(mlp->widths, step.max_batch_size, limits, compiled.reason);
  if (!plan) return compiled;
  const int resident = limits.multiprocessors * cuda::fused_resident_blocks(optimizer_of(step), *plan);
  if (resident < plan->blocks) {
    compiled.reason =
        fmt::format("this GPU can run only {} of the kernel's {} blocks at once", resident, plan->blocks);
    return compiled;
  }
  compiled.step = std::make_unique<CudaFusedStep>(backend, stream, step, *mlp, *plan);
  return compiled;
}

}  // namespace warpfit
