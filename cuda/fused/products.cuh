// Products of matrices in a block's shared memory, and sums over the rows of a batch. Each sum has one fixed
// order, and no two threads add to the same place.
#pragma once

#include <cstdint>

#include "cuda/device/kernel.cuh"
#include "cuda/device/reduce.cuh"

#ifdef __CUDACC__
#include <cuda_pipeline.h>
#endif

namespace warpfit::cuda {

constexpr int kVector = 4;

/// Rows of a matrix, each beginning at a multiple of four elements.
template <class T>
struct Rows {
  const T* data;
  int stride;

  __device__ const T* row(int n) const { return data + n * stride; }
};

/// Floats side by side, at a multiple of their number: read and written at once.
template <int kCount>
struct alignas(kCount * sizeof(float)) Pack {
  float of[kCount];
};

template <int kCount>
__device__ Pack<kCount>& pack(float* from) {
  return *reinterpret_cast<Pack<kCount>*>(from);
}

__device__ inline float4 four(const float* from) { return *reinterpret_cast<const float4*>(from); }
__device__ inline float4 four(const std::uint8_t* from) {
  const uchar4 p = *reinterpret_cast<const uchar4*>(from);
  return make_float4(p.x, p.y, p.z, p.w);
}

__device__ inline void add_product(float& sum, float4 a, float4 b) {
  sum += a.x * b.x;
  sum += a.y * b.y;
  sum += a.z * b.z;
  sum += a.w * b.w;
}

__device__ inline void add_product(float4& sum, float a, float4 b) {
  sum.x += a * b.x;
  sum.y += a * b.y;
  sum.z += a * b.z;
  sum.w += a * b.w;
}

/// a / b for a >= 0 and b > 0, quickly in the cases that are usual: a division of integers takes 25
/// instructions.
__device__ inline int quotient(int a, int b) {
  if (b == 1) return a;
  return a < b ? 0 : a / b;
}

/// The sum of v[i] over the lanes of the warp, in lane i: 31 shuffles, where 32 sums one by one take 160.
template <int kHalf = kWarp / 2>  // as a loop, nvcc left it rolled and searched registers for v[i + half]
__device__ float transposed_sum(float (&v)[kWarp]) {
  const bool upper = (threadIdx.x & kHalf) != 0;
#pragma unroll
  for (int i = 0; i < kHalf; ++i) {
    const float keep = upper ? v[i + kHalf] : v[i];
    const float give = upper ? v[i] : v[i + kHalf];
    v[i] = keep + __shfl_xor_sync(kWholeWarp, give, kHalf);
  }
  if constexpr (kHalf > 1) return transposed_sum<kHalf / 2>(v);
  return v[0];
}

constexpr int kTileRows = 8;
constexpr int kTileColumns = kWarp / kTileRows;

/// The part of a tile of x w' that a warp adds up: rows row .. and columns column .., over every `parts`th
/// stretch of k. Lane l takes the four terms from `first` on, and then those `step` further on.
struct TilePart {
  int row, column, rows, columns, depth;  ///< rows, columns and depth are those of the whole result
  int first, step;

  __device__ TilePart(int tile_row, int tile_column, int all_rows, int all_columns, int all_depth, int part,
                      int parts)
      : row(tile_row),
        column(tile_column),
        rows(all_rows),
        columns(all_columns),
        depth(all_depth),
        first((part * kWarp + static_cast<int>(threadIdx.x) % kWarp) * kVector),
        step(parts * kWarp * kVector) {}

  /// Adds terms [k, k + 4) of the tile's elements to v. Rows and columns that are not there repeat the last.
  template <class T>
  __device__ void add(Rows<T> x, Rows<float> w, int k, float (&v)[kWarp]) const {
    float4 b[kTileColumns];
#pragma unroll
    for (int j = 0; j < kTileColumns; ++j) b[j] = four(w.row(min(column + j, columns - 1)) + k);
#pragma unroll
    for (int n = 0; n < kTileRows; ++n) {
      const float4 a = four(x.row(min(row + n, rows - 1)) + k);
#pragma unroll
      for (int j = 0; j < kTileColumns; ++j) add_product(v[n * kTileColumns + j], a, b[j]);
    }
  }
};

/// In lane i: the part's sum of x[n][k] w[j][k] for n = row + i / 4 and j = column + i % 4.
template <class T>
__device__ float tile_sum(const TilePart& part, Rows<T> x, Rows<float> w) {
  float v[kWarp] = {};
  for (int k = part.first; k < part.depth; k += part.step) part.add(x, w, k, v);
  return transposed_sum(v);
}

constexpr int kStages = 4;  ///< groups of copies, in which a gathered matrix arrives

/// As tile_sum(), of a matrix x that lies in global memory at `from`, with equal strides: it is copied to `x`
/// stage by stage while the terms that have arrived are multiplied. Each lane reads just what it has copied
/// itself, so no barrier is needed; to other threads the copy is there after the next one. Tiles that share
/// rows must not be made at the same time. Blocks begin with different rows, so that they do not ask one part
/// of the L2 cache for the same lines all together.
__device__ inline float gathered_tile_sum(const TilePart& part, const float* from, float* x, int stride,
                                          Rows<float> w) {
  const int rounds = (part.depth + part.step - 1) / part.step;
  const int stage_depth = (rounds + kStages - 1) / kStages * part.step;
  const int turn = static_cast<int>(blockIdx.x);
  for (int stage = 0; stage < kStages; ++stage) {
    const int end = min(part.depth, (stage + 1) * stage_depth);
    for (int k = part.first + stage * stage_depth; k < end; k += part.step) {
#pragma unroll
      for (int n = 0; n < kTileRows; ++n) {
        const int row = part.row + (n + turn) % kTileRows;
        const int at = row * stride + k;
        if (row < part.rows) __pipeline_memcpy_async(x + at, from + at, sizeof(float4));
      }
    }
    __pipeline_commit();
  }
  float v[kWarp] = {};
#pragma unroll 1  // four times the code would not be faster
  for (int stage = 0; stage < kStages; ++stage) {
    __pipeline_wait_prior(kStages - 1 - stage);
    const int end = min(part.depth, (stage + 1) * stage_depth);
    for (int k = part.first + stage * stage_depth; k < end; k += part.step) {
      part.add(Rows<float>{x, stride}, w, k, v);
    }
  }
  return transposed_sum(v);
}

/// finish(n, j, sum) for each n < rows and j < columns, by any one thread, where sum_of(part) gives the sums
/// of a TilePart. `partial` has room for a float of each thread. All threads of the block call it.
template <class SumOf, class Finish>
__device__ void tiles(int rows, int columns, int depth, float* partial, const SumOf& sum_of,
                      const Finish& finish) {
  const int thread = static_cast<int>(threadIdx.x);
  const int warp = thread / kWarp;
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  const int across = (columns + kTileColumns - 1) / kTileColumns;
  const int count = (rows + kTileRows - 1) / kTileRows * across;
  const int parts =
      max(1, quotient(warps, count));  // warps that share a tile, if there are fewer tiles than warps
  const int first = quotient(warp, parts);
  const int part = warp - first * parts;
  const auto row_of = [&](int tile) { return quotient(tile, across); };
  const auto give = [&](int tile, float sum) {
    const int row = row_of(tile);
    const int n = row * kTileRows + thread % kWarp / kTileColumns;
    const int j = (tile - row * across) * kTileColumns + thread % kTileColumns;
    if (n < rows && j < columns) finish(n, j, sum);
  };

  float sum = 0;
  for (int tile = first; tile < count; tile += quotient(warps, parts)) {  // once if a tile has several parts
    const int row = row_of(tile);
    sum = sum_of(
        TilePart(row * kTileRows, (tile - row * across) * kTileColumns, rows, columns, depth, part, parts));
    if (parts == 1) give(tile, sum);
  }
  if (parts == 1) return;
  partial[thread] = sum;
  __syncthreads();
  if (first < count && part == 0) {
    for (int other = 1; other < parts; ++other) sum += partial[thread + other * kWarp];
    give(first, sum);
  }
  __syncthreads();  // the next call writes there
}

constexpr int kShallow = 16;  ///< of so few terms a thread sums all: few lanes of a warp would have any

/// finish(n, j, sum of x[n][k] w[j][k] over k < depth) for each n < rows and j < columns, by any one thread.
/// `depth` is a multiple of four; `partial` as for tiles(). All threads of the block call it.
template <class T, class Finish>
__device__ void products(Rows<T> x, Rows<float> w, int rows, int columns, int depth, float* partial,
                         const Finish& finish) {
  if (columns == 0) return;
  if (depth <= kShallow) {
    for (int i = static_cast<int>(threadIdx.x); i < rows * columns; i += static_cast<int>(blockDim.x)) {
      const int n = i / columns;
      const int j = i % columns;
      float sum = 0;
      for (int k = 0; k < depth; k += kVector) add_product(sum, four(x.row(n) + k), four(w.row(j) + k));
      finish(n, j, sum);
    }
    return;
  }
  tiles(
      rows, columns, depth, partial, [&](const TilePart& part) { return tile_sum(part, x, w); }, finish);
}

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

/// Adds up what the two halves of a warp hold: the lower one keeps the sums 0 and 1, the upper one 2 and 3,
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

/// finish(j, k, sum of d[n][j] x[n][k .. k + 3] over n < rows) for each j < columns and each fourth k <
/// depth, a multiple of four. Where half of the threads would do, the halves of a warp share the rows of a
/// task. All threads of the block call it.
template <class T, class Finish>
__device__ void outer_products(Rows<float> d, Rows<T> x, int rows, int columns, int depth,
                               const Finish& finish) {
  const int quads = depth / kVector;
  const int tasks = quads * ((columns + kVector - 1) / kVector);
  const int threads = static_cast<int>(blockDim.x);
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const bool halved = 2 * tasks <= threads;
  const int lanes = halved ? kWarp / 2 : kWarp;  // of a warp, with tasks of their own
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

/// finish(j, m, sum of value(n, j, m) over n < rows) for each j < outer and m < inner: a warp a sum, for few
/// of them.
template <class Value, class Finish>
__device__ void sums_over_rows(int outer, int inner, int rows, const Value& value, const Finish& finish) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  int j = 0;
  for (int m = static_cast<int>(threadIdx.x) / kWarp;; m += warps) {
    for (; m >= inner && j < outer; m -= inner) ++j;
    if (j >= outer) break;
    float sum = 0;
    for (int n = lane; n < rows; n += kWarp) sum += value(n, j, m);
    sum = warp_reduce(sum, [](float a, float b) { return a + b; });
    if (lane == 0) finish(j, m, sum);
  }
}

}  // namespace warpfit::cuda
