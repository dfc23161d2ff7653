// Sums over the rows of a batch, of matrices in a block's shared memory. Each sum has a fixed order, and no
// two threads add to the same element.
#pragma once

#include "cuda/fused/terms.cuh"

namespace warpfit::cuda {

/// sum[j] += the sum of d[n][column + j] x[n][k .. k + 3] over first <= n < end.
template <class T>
__device__ void add_outer_products(Rows<float> d, Rows<T> x, int column, int k, int first, int end,
                                   float4 (&sum)[kVector]) {
#pragma unroll 4
  for (int n = first; n < end; ++n) {
    const float4 a = four(d.row(n) + column);
    const float4 b = four(x.row(n) + k);
    add_product(sum[0], a.x, b);
    add_product(sum[1], a.y, b);
    add_product(sum[2], a.z, b);
    add_product(sum[3], a.w, b);
  }
}

/// Adds the sums of the two halves of a warp: the lower half keeps the sums 0 and 1, the upper half 2 and 3,
/// each in sum[0] and sum[1].
__device__ inline void add_halves(bool upper, float4 (&sum)[kVector]) {
  constexpr int kHalf = kWarp / 2;
#pragma unroll
  for (int j = 0; j < 2; ++j) {
    const float4 give = upper ? sum[j] : sum[j + 2];
    sum[j] = upper ? sum[j + 2] : sum[j];
    sum[j].x += __shfl_xor_sync(kWholeWarp, give.x, kHalf);
    sum[j].y += __shfl_xor_sync(kWholeWarp, give.y, kHalf);
    sum[j].z += __shfl_xor_sync(kWholeWarp, give.z, kHalf);
    sum[j].w += __shfl_xor_sync(kWholeWarp, give.w, kHalf);
  }
}

/// Calls finish(j, k, sum of d[n][j] x[n][k .. k + 3] over n < rows) for each j < columns and each fourth k <
/// depth, a multiple of four. If half of the threads are enough, the two halves of a warp share the rows of a
/// task. Called by all threads of the block.
template <class T, class Finish>
__device__ void outer_products(int threads, Rows<float> d, Rows<T> x, int rows, int columns, int depth,
                               const Finish& finish) {
  const int quads = depth / kVector;
  const int tasks = quads * ((columns + kVector - 1) / kVector);
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const bool halved = 2 * tasks <= threads;
  const int lanes = halved ? kWarp / 2 : kWarp;  // lanes of a warp with different tasks
  const bool upper = halved && lane >= lanes;
  const int middle = halved ? (rows + 1) / 2 : rows;
  for (int start = static_cast<int>(threadIdx.x) / kWarp * lanes; start < tasks;
       start += threads / kWarp * lanes) {
    const int own = start + (upper ? lane - lanes : lane);
    const int task = min(own, tasks - 1);
    const int group = quotient(task, quads);
    const int column = group * kVector;
    const int k = (task - group * quads) * kVector;
    float4 sum[kVector] = {};
    add_outer_products(d, x, column, k, upper ? middle : 0, upper ? rows : middle, sum);
    if (halved) add_halves(upper, sum);
    if (own >= tasks) continue;
#pragma unroll
    for (int j = 0; j < kVector; ++j) {
      const int kept = column + (upper ? 2 : 0) + j;
      if ((j < 2 || !halved) && kept < columns) finish(kept, k, sum[j]);
    }
  }
}

constexpr int kSumLanes = 4;  ///< number of lanes that share a sum over the rows

/// Calls finish(j, m, sum of value(n, j, m) over n < rows) for each j < outer and m < inner, in an arbitrary
/// thread. Called by all `threads` threads of the block.
template <class Value, class Finish>
__device__ void sums_over_rows(int threads, int outer, int inner, int rows, const Value& value,
                               const Finish& finish) {
  constexpr int kWarpSums = kWarp / kSumLanes;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int count = outer * inner;
  for (int start = static_cast<int>(threadIdx.x) / kWarp * kWarpSums; start < count;
       start += threads / kWarp * kWarpSums) {
    const int own = start + lane / kSumLanes;
    const int at = min(own, count - 1);
    const int j = quotient(at, inner);
    const int m = at - j * inner;
    float sum = 0;
#pragma unroll 4
    for (int n = lane % kSumLanes; n < rows; n += kSumLanes) sum += value(n, j, m);
#pragma unroll
    for (int lanes = kSumLanes / 2; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(kWholeWarp, sum, lanes);
    if (lane % kSumLanes == 0 && own < count) finish(j, m, sum);
  }
}

}  // namespace warpfit::cuda
