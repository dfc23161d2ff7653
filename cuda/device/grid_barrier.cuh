// A barrier of all blocks of a cooperative launch, in two halves, so that a block can work between them.
#pragma once

#include "cuda/device/barrier_timeout.hpp"
#include "cuda/device/clock.cuh"
#include "cuda/device/memory_order.cuh"

namespace warpfit {

class GridBarrier {
 public:
  /// `arrived` counts the blocks that arrived at any barrier, `passed` of them before this launch; it is
  /// never set back, and may wrap round.
  __device__ GridBarrier(unsigned* arrived, unsigned passed, const BarrierTimeout& timeout)
      : arrived_(arrived), passed_(passed), target_(passed), timeout_(timeout) {}

  /// What the block wrote before becomes visible to the blocks that wait. All its threads call it.
  __device__ void arrive() {
    target_ += gridDim.x;
    __syncthreads();
    if (threadIdx.x == 0) add_release(arrived_, 1);
  }

  /// Waits until all blocks have arrived. All threads of the block call it, each time after arrive(). A block
  /// that waits longer than the timeout leaves a note and ends the kernel with an error.
  __device__ void wait() const {
    if (threadIdx.x == 0) {
      long long start = 0;
      for (unsigned looks = 1; static_cast<int>(load_acquire(arrived_) - target_) < 0; ++looks) {
        if (looks % kLooksPerTime == 0) check_time(start);
      }
    }
    __syncthreads();
  }

 private:
  static constexpr unsigned kLooksPerTime = 1024;  // about a millisecond

  __device__ void check_time(long long& start) const {
    const long long now = nanoseconds();
    if (start == 0) start = now;
    if (now - start < timeout_.nanoseconds) return;
    if (timeout_.note != nullptr) {
      const unsigned barrier = (target_ - passed_) / gridDim.x - 1;
      *static_cast<volatile unsigned long long*>(timeout_.note) = barrier_timeout_note(blockIdx.x, barrier);
      __threadfence_system();
    }
    __trap();
  }

  unsigned* arrived_;
  unsigned passed_, target_;
  const BarrierTimeout& timeout_;
};

}  // namespace warpfit
