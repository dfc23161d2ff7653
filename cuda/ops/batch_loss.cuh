// Code shared by the losses: the highest output of a row, and the sum over the batch. The last block adds the
// rows in double: each thread its share in order, then a fixed tree. There are no float atomics, so the bits
// are the same each time.
#pragma once

#include "cuda/device/kernel.cuh"
#include "cuda/device/reduce.cuh"
#include "host/backend/batch_metrics.hpp"

namespace warpfit::cuda {

// Number of threads of the block for a row: one warp if there are at most kFewClasses classes.
constexpr int kSmallBlock = 32;
constexpr int kLargeBlock = 256;
constexpr std::int64_t kFewClasses = 128;  // up to four per lane

// One block per row, and one for an empty batch.
inline unsigned blocks_for_rows(std::int64_t rows) { return rows > 0 ? static_cast<unsigned>(rows) : 1; }

struct Highest {
  float value;
  int index;
};

// The higher value; of equal values, the first.
__device__ inline Highest higher(Highest a, Highest b) {
  return b.value > a.value || (b.value == a.value && b.index < a.index) ? b : a;
}

__device__ inline Highest warp_highest(Highest highest) {
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
    const Highest other{__shfl_xor_sync(kWholeWarp, highest.value, lanes),
                        __shfl_xor_sync(kWholeWarp, highest.index, lanes)};
    highest = higher(highest, other);
  }
  return highest;
}

template <int kThreads>
__device__ Highest block_highest(Highest highest) {
  highest = warp_highest(highest);
  if constexpr (kThreads > kWarp) {
    constexpr int kWarps = kThreads / kWarp;
    SHARED_ARRAY(Highest, partial, kWarps);
    if (threadIdx.x % kWarp == 0) partial[threadIdx.x / kWarp] = highest;
    __syncthreads();
    highest = partial[0];
    for (int warp = 1; warp < kWarps; ++warp) highest = higher(highest, partial[warp]);
  }
  return highest;
}

/// The loss of the batch is the sum of the rows' losses divided by `count`. Called by the first kThreads
/// threads of a block: all of them, or a warp.
template <int kThreads>
__device__ void add_rows(const RowResult* results, std::int64_t rows, double count, Metrics* metrics) {
  const auto add = [](auto a, auto b) { return a + b; };
  double loss_sum = 0;
  int correct = 0;
  for (std::int64_t i = threadIdx.x; i < rows; i += kThreads) {
    loss_sum += results[i].loss;
    correct += results[i].correct;
  }
  loss_sum = block_reduce<kThreads>(loss_sum, add);
  correct = block_reduce<kThreads>(correct, add);
  if (threadIdx.x == 0) add_batch(*metrics, loss_sum, correct, count);
}

/// Called by all threads of all blocks, after the first thread of each block has written the result of its
/// row.
template <int kThreads>
__device__ void add_up(const RowResult* results, std::int64_t rows, double count, Metrics* metrics,
                       unsigned* arrived) {
  if (is_last_block(arrived)) add_rows<kThreads>(results, rows, count, metrics);
}

}  // namespace warpfit::cuda
