// Time on the device.
#pragma once

#include "cuda/device/kernel.cuh"

namespace warpfit {

/// Nanoseconds of a clock shared by all multiprocessors. On some GPUs it advances only about once per
/// microsecond.
__device__ inline long long nanoseconds() {
#ifdef __CUDACC__
  long long now;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
  return now;
#else
  return emulated_globaltimer();
#endif
}

}  // namespace warpfit
