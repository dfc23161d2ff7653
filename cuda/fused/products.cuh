// Products of matrices in a block's shared memory, and sums over the rows of a batch. Each sum has one fixed
// order, and no two threads add to the same place.
#pragma once

#include <cstdint>

#include "cuda/device/kernel.cuh"
#include "cuda/device/reduce.cuh"

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

/// In lane i: the sum of x[n][k] w[j][k] for n = row + i / 4 and j = column + i % 4, over every `parts`th
/// stretch of k. Rows and columns that are not there repeat the last.
template <class T>
__device__ float tile_sum(Rows<T> x, Rows<float> w, int row, int column, int rows, int columns, int depth,
                          int part, int parts) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  float v[kWarp] = {};
  for (int k = (part * kWarp + lane) * kVector; k < depth; k += parts * kWarp * kVector) {
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
  return transposed_sum(v);
}

constexpr int kShallow = 16;  ///< of so few terms a thread sums all: few lanes of a warp would have any

/// finish(n, j, sum of x[n][k] w[j][k] over k < depth) for each n < rows and j < columns, by any one thread.
/// `depth` is a multiple of four; `partial` has a place for each thread. All threads of the block call it.
template <class T, class Finish>
__device__ void products(Rows<T> x, Rows<float> w, int rows, int columns, int depth, float* partial,
                         const Finish& finish) {
  if (columns == 0) return;
  const int thread = static_cast<int>(threadIdx.x);
  if (depth <= kShallow) {
    for (int i = thread; i < rows * columns; i += static_cast<int>(blockDim.x)) {
      const int n = i / columns;
      const int j = i % columns;
      float sum = 0;
      for (int k = 0; k < depth; k += kVector) add_product(sum, four(x.row(n) + k), four(w.row(j) + k));
      finish(n, j, sum);
    }
    return;
  }
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  const int across = (columns + kTileColumns - 1) / kTileColumns;
  const int tiles = (rows + kTileRows - 1) / kTileRows * across;
  const auto sum_of = [&](int tile, int part, int parts) {
    return tile_sum(x, w, tile / across * kTileRows, tile % across * kTileColumns, rows, columns, depth, part,
                    parts);
  };
  const auto give = [&](int tile, float sum) {
    const int n = tile / across * kTileRows + thread % kWarp / kTileColumns;
    const int j = tile % across * kTileColumns + thread % kTileColumns;
    if (n < rows && j < columns) finish(n, j, sum);
  };

  const int parts = warps / tiles;  // warps that share a tile, where there are fewer tiles than warps
  if (parts <= 1) {
    for (int tile = thread / kWarp; tile < tiles; tile += warps) give(tile, sum_of(tile, 0, 1));
    return;
  }
  const int tile = thread / kWarp / parts;
  const int part = thread / kWarp % parts;
  float sum = tile < tiles ? sum_of(tile, part, parts) : 0;
  partial[thread] = sum;
  __syncthreads();
  if (tile < tiles && part == 0) {
    for (int other = 1; other < parts; ++other) sum += partial[thread + other * kWarp];
    give(tile, sum);
  }
  __syncthreads();  // the next call writes there
}

/// finish(j, k, sum of d[n][j] x[n][k .. k + 3] over n < rows) for each j < columns and each fourth k <
/// depth, a multiple of four.
template <class T, class Finish>
__device__ void outer_products(Rows<float> d, Rows<T> x, int rows, int columns, int depth,
                               const Finish& finish) {
  const int quads = depth / kVector;
  const int tasks = quads * ((columns + kVector - 1) / kVector);
  for (int task = static_cast<int>(threadIdx.x); task < tasks; task += static_cast<int>(blockDim.x)) {
    const int column = task / quads * kVector;
    const int k = task % quads * kVector;
    float4 sum[kVector] = {};
#pragma unroll 4
    for (int n = 0; n < rows; ++n) {
      const float4 a = four(d.row(n) + column);
      const float4 b = four(x.row(n) + k);
      add_product(sum[0], a.x, b);
      add_product(sum[1], a.y, b);
      add_product(sum[2], a.z, b);
      add_product(sum[3], a.w, b);
    }
#pragma unroll
    for (int j = 0; j < kVector; ++j) {
      if (column + j < columns) finish(column + j, k, sum[j]);
    }
  }
}

/// finish(i, sum of value(n, i) over n < rows) for each i < count: a warp a sum, for few of them.
template <class Value, class Finish>
__device__ void sums_over_rows(int count, int rows, const Value& value, const Finish& finish) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  for (int i = static_cast<int>(threadIdx.x) / kWarp; i < count; i += warps) {
    float sum = 0;
    for (int n = lane; n < rows; n += kWarp) sum += value(n, i);
    sum = warp_reduce(sum, [](float a, float b) { return a + b; });
    if (lane == 0) finish(i, sum);
  }
}

}  // namespace warpfit::cuda
