// Ordered accesses to a counter in global memory, for threads of different blocks: writes of a thread before
// add_release() are visible to a thread that reads the result, or a later one, with load_acquire(). With a
// block barrier before add_release() and one after load_acquire(), this holds for whole blocks (PTX's
// causality order). These instructions cost one fence each, whereas __threadfence() with an atomic operation
// costs two.
#pragma once

#include "cuda/device/kernel.cuh"

namespace warpfit {

__device__ inline void add_release(unsigned* counter, unsigned value) {
#ifdef __CUDACC__
  asm volatile("red.release.gpu.global.add.u32 [%0], %1;"
               :
               : "l"(__cvta_generic_to_global(counter)), "r"(value)
               : "memory");
#else
  __threadfence();
  atomicAdd(counter, value);
#endif
}

__device__ inline unsigned load_acquire(const unsigned* counter) {
#ifdef __CUDACC__
  unsigned value;
  asm volatile("ld.acquire.gpu.global.u32 %0, [%1];"
               : "=r"(value)
               : "l"(__cvta_generic_to_global(counter))
               : "memory");
  return value;
#else
  const unsigned value = *static_cast<const volatile unsigned*>(counter);
  __threadfence();
  __nanosleep(0);  // lets other threads run in loops that wait
  return value;
#endif
}

}  // namespace warpfit
