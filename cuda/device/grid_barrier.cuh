// A barrier for all blocks of a cooperative launch, split into arrive and wait, so that a block can do other
// work in between.
#pragma once

#include "cuda/device/barrier_timeout.hpp"
#include "cuda/device/clock.cuh"
#include "cuda/device/memory_order.cuh"

namespace warpfit {

class GridBarrier {
 public:
  /// `arrived` counts the arrivals of blocks at all barriers; `passed` of them happened before this launch.
  /// It is never reset and may wrap around.
  __device__ GridBarrier(unsigned* arrived, unsigned passed, const BarrierTimeout& timeout)
      : arrived_(arrived), passed_(passed), target_(passed), timeout_(timeout) {}

  /// Makes the block's previous writes visible to the blocks that wait. Called by all threads of the block.
  __device__ void arrive() {
    target_ += gridDim.x;
    __syncthreads();
    if (threadIdx.x == 0) add_release(arrived_, 1);
  }

  /// Waits until all blocks have arrived. Called by all threads of the block, each time after arrive(). A
  /// block that waits longer than the timeout writes a note and ends the kernel with an error.
  __device__ void wait() const {
    if (threadIdx.x == 0) {
      long long start = 0;
      for (unsigned polls = 1; static_cast<int>(load_acquire(arrived_) - target_) < 0; ++polls) {
        if (polls % kPollsPerClockRead == 0) check_time(start);
      }
    }
    __syncthreads();
  }

 private:
  static constexpr unsigned kPollsPerClockRead = 1024;  // about a millisecond

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
