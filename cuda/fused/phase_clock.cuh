// Measures the time of a block's phases with the clock of its first thread.
#pragma once

#include "cuda/device/clock.cuh"
#include "cuda/fused/phases.hpp"

namespace warpfit::cuda {

class PhaseClock {
 public:
  /// `nanoseconds`: (blocks, kFusedPhases); the time of each phase is added to it. Not used unless
  /// kMeasuresPhases.
  __device__ explicit PhaseClock(unsigned long long* nanoseconds) : sums_(nanoseconds) {
    if constexpr (kMeasuresPhases) last_ = warpfit::nanoseconds();
  }

  /// Assigns the time since the last call, or since the start of the clock, to this phase.
  __device__ void end(FusedPhase phase) {
    if constexpr (kMeasuresPhases) {
      if (threadIdx.x != 0) return;
      const long long now = nanoseconds();
      atomicAdd(sums_ + blockIdx.x * kFusedPhases + static_cast<std::size_t>(phase),
                static_cast<unsigned long long>(now - last_));  // asynchronous: its result is not used
      last_ = now;
    }
  }

 private:
  unsigned long long* sums_;
  long long last_ = 0;
};

}  // namespace warpfit::cuda
