// Steps run by the persistent trainer: one launch runs several batches.
#pragma once

#include <memory>
#include <string>

#include "cuda/fused/fused_run.hpp"
#include "cuda/fused/match_mlp.hpp"
#include "cuda/runtime/barrier_timeout.hpp"
#include "cuda/runtime/stream.hpp"
#include "host/backend/buffer.hpp"

namespace warpfit {

class CudaFusedStep final : public RecordedStep {
 public:
  /// The backend, the stream and the memory to which `step` refers must outlive it.
  CudaFusedStep(Backend& backend, const Stream& stream, const StepPlan& step, const cuda::Mlp& mlp,
                const cuda::FusedPlan& plan);
  void run(const BatchRun& run) override;
  [[nodiscard]] std::vector<KernelPhase> take_kernel_phases() override;

 private:
  Backend& backend_;
  const Stream& stream_;
  Optimizer optimizer_;
  cuda::FusedRun run_;
  Buffer<float> exchange_;
  Buffer<RowResult> results_;
  Buffer<unsigned> arrived_;
  BarrierTimeoutNote timeout_note_;
  Buffer<unsigned long long> phase_nanoseconds_;
  std::int64_t measured_steps_ = 0;
};

/// Returns no step, but the reason, if the step or this device is not supported.
Compiled make_fused_step(Backend& backend, int device, Precision precision, const Stream& stream,
                         const StepPlan& step);

}  // namespace warpfit
