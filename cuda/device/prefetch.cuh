// Cache hints.
#pragma once

#include "cuda/device/kernel.cuh"

namespace warpfit {

/// Prefetches the 128-byte line at an address in global memory into the L2 cache. Asynchronous; an unmapped
/// address is not an error.
__device__ inline void prefetch_l2([[maybe_unused]] const void* address) {
#ifdef __CUDACC__
  asm volatile("prefetch.global.L2 [%0];" : : "l"(__cvta_generic_to_global(address)));
#endif
}

}  // namespace warpfit
