// Products of matrices in a block's shared memory. Each sum has a fixed order, and no two threads add to the
// same element.
#pragma once

#include "cuda/fused/terms.cuh"

namespace warpfit::cuda {

constexpr int kTileRows = 8;
constexpr int kTileColumns = kWarp / kTileRows;

/// The part of a tile of x w' that a warp computes: rows from `row`, columns from `column`, and every
/// `parts`th section of k. Lane l processes the four terms from `first` on, then those `step` further on.
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

  /// Adds terms [k, k + 4) of the tile's elements to v. Rows and columns past the end repeat the last one.
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

/// In lane i: the partial sum of x[n][k] w[j][k] for n = row + i / 4 and j = column + i % 4.
template <class T>
__device__ float tile_sum(const TilePart& part, Rows<T> x, Rows<float> w) {
  float v[kWarp] = {};
  for (int k = part.first; k < part.depth; k += part.step) part.add(x, w, k, v);
  return transposed_sum(v);
}

/// The same as tile_sum() for a whole tile, computed by one warp, with kDepth terms. The next terms are
/// loaded while the current ones are multiplied.
template <int kDepth>
__device__ float whole_tile_sum(int row, Rows<float> x, Rows<float> w) {
  constexpr int kStep = kWarp * kVector;
  static_assert(kDepth % (2 * kStep) == 0);
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const float* xs = x.row(row) + lane * kVector;
  const float* ws = w.row(0) + lane * kVector;
  float v[kWarp] = {};
  struct Terms {
    float4 x[kTileRows], w[kTileColumns];
  } even, odd;
  const auto load = [&](Terms& terms, int k) {
#pragma unroll
    for (int n = 0; n < kTileRows; ++n) terms.x[n] = four(xs + n * x.stride + k);
#pragma unroll
    for (int j = 0; j < kTileColumns; ++j) terms.w[j] = four(ws + j * w.stride + k);
  };
  const auto add = [&](const Terms& terms) {
#pragma unroll
    for (int n = 0; n < kTileRows; ++n) {
#pragma unroll
      for (int j = 0; j < kTileColumns; ++j) add_product(v[n * kTileColumns + j], terms.x[n], terms.w[j]);
    }
  };
  load(even, 0);
#pragma unroll 1
  for (int k = 0; k < kDepth; k += 2 * kStep) {
    load(odd, k + kStep);
    add(even);
    if (k + 2 * kStep < kDepth) load(even, k + 2 * kStep);
    add(odd);
  }
  return transposed_sum(v);
}

/// products() with more than a few terms.
template <class T, class Finish>
__device__ void tiles(int threads, Rows<T> x, Rows<float> w, int rows, int columns, int depth, float* partial,
                      const Finish& finish) {
  const int thread = static_cast<int>(threadIdx.x);
  const int warp = thread / kWarp;
  const int warps = threads / kWarp;
  const int across = (columns + kTileColumns - 1) / kTileColumns;
  const int count = (rows + kTileRows - 1) / kTileRows * across;
  const int parts = max(1, quotient(warps, count));  // warps per tile, if there are more warps than tiles
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
    sum = tile_sum(
        TilePart(row * kTileRows, (tile - row * across) * kTileColumns, rows, columns, depth, part, parts), x,
        w);
    if (parts == 1) give(tile, sum);
  }
  if (parts == 1) return;
  partial[thread] = sum;
  __syncthreads();
  if (first < count && part == 0) {
    for (int other = 1; other < parts; ++other) sum += partial[thread + other * kWarp];
    give(first, sum);
  }
  __syncthreads();  // the next call writes to the same memory
}

/// Up to this number of terms, one thread computes a whole sum, because only few lanes would have any terms.
constexpr int kShallow = 16;

/// Calls finish(n, j, sum of x[n][k] w[j][k] over k < depth) for each n < rows and j < columns, in an
/// arbitrary thread. `depth` is a multiple of four; `partial` has one float per thread. Called by all
/// `threads` threads of the block.
template <class T, class Finish>
__device__ void products(int threads, Rows<T> x, Rows<float> w, int rows, int columns, int depth,
                         float* partial, const Finish& finish) {
  if (columns == 0) return;
  if (depth > kShallow) {
    tiles(threads, x, w, rows, columns, depth, partial, finish);
    return;
  }
  for (int i = static_cast<int>(threadIdx.x); i < rows * columns; i += threads) {
    const int n = i / columns;
    const int j = i % columns;
    float sum = 0;
    for (int k = 0; k < depth; k += kVector) add_product(sum, four(x.row(n) + k), four(w.row(j) + k));
    finish(n, j, sum);
  }
}

}  // namespace warpfit::cuda
