// Reductions over the threads of a block in a fixed order, so that the same input gives the same bits.
#pragma once

#include "cuda/device/kernel.cuh"

namespace warpfit {

constexpr int kWarp = 32;
constexpr unsigned kWholeWarp = 0xFFFFFFFFU;

/// Reduces the values of a whole warp with op; every lane gets the result.
template <class T, class Op>
__device__ T warp_reduce(T value, Op op) {
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
    value = op(value, __shfl_xor_sync(kWholeWarp, value, lanes));
  }
  return value;
}

/// Reduces the values of a block of kThreads threads with op; every thread gets the result. Called by all
/// threads.
template <int kThreads, class T, class Op>
__device__ T block_reduce(T value, Op op) {
  static_assert(kThreads % kWarp == 0 && kThreads <= kWarp * kWarp);
  value = warp_reduce(value, op);
  if constexpr (kThreads > kWarp) {
    constexpr int kWarps = kThreads / kWarp;
    SHARED_ARRAY(T, partial, kWarps);
    __syncthreads();  // the reads of the previous call are complete
    if (threadIdx.x % kWarp == 0) partial[threadIdx.x / kWarp] = value;
    __syncthreads();
    value = partial[0];
    for (int warp = 1; warp < kWarps; ++warp) value = op(value, partial[warp]);
  }
  return value;
}

/// Returns true in every thread of the last block of the grid that calls it; these threads then see what all
/// blocks wrote before. `arrived` is 0 before and after. Called by all threads of one-dimensional blocks.
__device__ inline bool is_last_block(unsigned* arrived) {
  SHARED_ARRAY(bool, last, 1);
  __syncthreads();
  if (threadIdx.x == 0) {  // fences for the whole block, together with the barriers
    const unsigned blocks = gridDim.x * gridDim.y;
    __threadfence();
    last[0] = atomicAdd(arrived, 1U) == blocks - 1;
    __threadfence();
    if (last[0]) atomicExch(arrived, 0U);  // the next launch counts from 0
  }
  __syncthreads();
  return last[0];
}

}  // namespace warpfit
