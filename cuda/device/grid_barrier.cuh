// A barrier of all blocks of a cooperative launch, in two halves, so that a block can work between them.
#pragma once

#include "cuda/device/kernel.cuh"

namespace warpfit {

class GridBarrier {
 public:
  /// `arrived` counts the blocks that arrived at any barrier, `passed` of them before this launch; it is
  /// never set back, and may wrap round.
  __device__ GridBarrier(unsigned* arrived, unsigned passed) : arrived_(arrived), target_(passed) {}

  /// What the block wrote before, it gives to those that wait. All its threads call it.
  __device__ void arrive() {
    target_ += gridDim.x;
    __syncthreads();
    if (threadIdx.x == 0) {  // fences for the whole block: the barriers hand on what they order
      __threadfence();
      atomicAdd(arrived_, 1U);
    }
  }

  /// Until all blocks have arrived. All threads of the block call it, each time after arrive().
  __device__ void wait() const {
    if (threadIdx.x == 0) {
      const volatile unsigned* arrived = arrived_;
      while (static_cast<int>(*arrived - target_) < 0) __nanosleep(0);
      __threadfence();
    }
    __syncthreads();
  }

 private:
  unsigned* arrived_;
  unsigned target_;
};

}  // namespace warpfit
