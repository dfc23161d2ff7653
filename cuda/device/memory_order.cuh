// Ordered accesses to a counter in global memory, for threads of different blocks: what a thread wrote before
// add_release() is seen by one that reads the result, or a later one, with load_acquire(). With a barrier of
// the block before the former and one after the latter this holds for whole blocks (PTX's causality order).
// As instructions of their own they cost one fence each; __threadfence() with an atomic operation costs
// two.
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
  __nanosleep(0);  // loops that wait let other threads run
  return value;
#endif
}

}  // namespace warpfit
