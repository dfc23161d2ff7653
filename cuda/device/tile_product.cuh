// Computes a tile of c (rows, cols), c(i, j) = the sum over t of a(i, t) b(j, t), in full fp32. The threads
// of a block are divided into slices, which share the terms of the sums, so that small outputs with long sums
// fill a GPU. The sums of the slices are added in order, so the same input gives the same bits.
//
// A tile has 16, 32 or 64 rows and columns. The operands are staged in shared memory, with as many terms at a
// time as take 8 KB per operand, while the next terms are loaded to registers. A thread computes 8 x 4
// outputs and processes four terms at a time, in every slice-th group: twelve 16-byte reads for 128
// multiplications. Rows in shared memory are padded by 4 floats, and the outputs of a thread are as far apart
// as a row has threads, so that neighboring threads read from different banks.
#pragma once

#include <cstdint>

#include "cuda/device/kernel.cuh"

namespace warpfit {

/// An operand of `rows` rows. Element (row, t) is data[row * stride + t] if the terms are contiguous in
/// memory (kAlong), and data[t * stride + row] otherwise.
template <bool kAlong>
struct Operand {
  const float* data;
  std::int64_t stride;
  int rows;
  bool ones = false;  ///< there is one more row, of ones, which is not in memory
};

template <int kTile>
struct Tile {
  static constexpr int kThreads = 256;
  static constexpr int kRows = 8, kCols = 4;  // outputs per thread
  static constexpr int kDown = kTile / kRows, kAcross = kTile / kCols;
  static constexpr int kSliceThreads = kDown * kAcross;
  static constexpr int kSlices = kThreads / kSliceThreads;
  static constexpr int kVector = 4;  // terms per 16-byte access
  static constexpr int kTerms = 2048 / kTile;
  static constexpr int kGroups = kTerms / kVector;
  static constexpr int kLoads = kTile * kGroups / kThreads;
  static constexpr int kStride = kTerms + kVector;        // of a row in shared memory
  static constexpr int kOperandFloats = kTile * kStride;  // floats of an operand in shared memory
  static constexpr int kSumStride = kTile + kAcross;      // of a row of a slice's sums
  static constexpr int kSliceStride = kTile * kSumStride + 8;
  static constexpr int kSums = kSlices * kSliceStride;
  static constexpr int kShared = kSums > 4 * kOperandFloats ? kSums : 4 * kOperandFloats;
  static_assert(kTile * kGroups % kThreads == 0 && kGroups % kSlices == 0);
};

/// Loads an operand from global memory to its tile in shared memory. The loads of a warp are contiguous,
/// either along the terms or across them. Rows past the end of the operand repeat its last row: their sums
/// are never stored.
template <int kTile, bool kAlong>
class TileLoader {
 public:
  using T = Tile<kTile>;

  __device__ TileLoader(const Operand<kAlong>& operand, int first_row, int terms)
      : step_(kAlong ? 1 : operand.stride),
        terms_(terms),
        vector_(kAlong && operand.stride % T::kVector == 0 &&
                reinterpret_cast<std::uintptr_t>(operand.data) % sizeof(float4) == 0) {
#pragma unroll
    for (int n = 0; n < T::kLoads; ++n) {
      const int row = first_row + row_of(n);
      const int last = min(row, operand.rows - 1);
      from_[n] = operand.data + (kAlong ? last * operand.stride : last) + group_of(n) * T::kVector * step_;
      one_[n] = operand.ones && row == operand.rows;
    }
  }

  /// Begins to load the terms from `first` on; terms past the end are 0.
  __device__ void load(int first) {
    const bool whole = first + T::kTerms <= terms_;
#pragma unroll
    for (int n = 0; n < T::kLoads; ++n) {
      const float* from = from_[n] + first * step_;
      const int left = whole ? T::kVector : terms_ - first - group_of(n) * T::kVector;
      next_[n] = left >= T::kVector ? load_four(from) : load_some(from, left);
      if (one_[n]) next_[n] = make_float4(1.0F, 1.0F, 1.0F, 1.0F);
    }
  }
  __device__ void store(float* tile) const {
#pragma unroll
    for (int n = 0; n < T::kLoads; ++n) {
      *reinterpret_cast<float4*>(tile + row_of(n) * T::kStride + group_of(n) * T::kVector) = next_[n];
    }
  }

 private:
  __device__ static int item(int n) { return static_cast<int>(threadIdx.x) + n * T::kThreads; }
  __device__ static int row_of(int n) { return kAlong ? item(n) / T::kGroups : item(n) % kTile; }
  __device__ static int group_of(int n) { return kAlong ? item(n) % T::kGroups : item(n) / kTile; }

  __device__ float4 load_four(const float* from) const {
    if (kAlong && vector_) {
      // Uses a reference, because UBSan checks the alignment of a reference, but not that of a copy.
      const float4& four = *reinterpret_cast<const float4*>(from);
      return four;
    }
    return make_float4(from[0], from[step_], from[2 * step_], from[3 * step_]);
  }
  __device__ float4 load_some(const float* from, int left) const {
    return make_float4(left > 0 ? from[0] : 0.0F, left > 1 ? from[step_] : 0.0F,
                       left > 2 ? from[2 * step_] : 0.0F, 0.0F);
  }

  std::int64_t step_;
  int terms_;
  bool vector_;
  bool one_[T::kLoads];
  const float* from_[T::kLoads];
  float4 next_[T::kLoads];
};

/// The position of a thread in its tile, and its accumulated sums.
template <int kTile>
class TileSums {
 public:
  using T = Tile<kTile>;

  /// Accumulates the slice's share of `terms` terms, which are in the tiles a and b.
  __device__ void add(const float* a, const float* b, int terms) {
#pragma unroll
    for (int n = 0; n < T::kGroups / T::kSlices; ++n) {
      const int group = slice() + n * T::kSlices;
      if (group * T::kVector >= terms) break;
      add_group(a + down() * T::kStride + group * T::kVector, b + across() * T::kStride + group * T::kVector);
    }
  }

  /// Stores the sums, separately for each slice.
  __device__ void store(float* sums) const {
    float* own = sums + slice() * T::kSliceStride + down() * T::kSumStride + across();
#pragma unroll
    for (int r = 0; r < T::kRows; ++r) {
#pragma unroll
      for (int c = 0; c < T::kCols; ++c) own[r * T::kDown * T::kSumStride + c * T::kAcross] = sum_[r][c];
    }
  }

  /// Returns the sum over all slices.
  __device__ static float total(const float* sums, int row, int col) {
    const float* first = sums + row * T::kSumStride + col;
    float sum = first[0];
#pragma unroll
    for (int slice = 1; slice < T::kSlices; ++slice) sum += first[slice * T::kSliceStride];
    return sum;
  }

 private:
  __device__ static int slice() { return static_cast<int>(threadIdx.x) / T::kSliceThreads; }
  __device__ static int down() { return static_cast<int>(threadIdx.x) % T::kSliceThreads / T::kAcross; }
  __device__ static int across() { return static_cast<int>(threadIdx.x) % T::kAcross; }

  __device__ void add_group(const float* a, const float* b) {
    float4 cols[T::kCols];
#pragma unroll
    for (int c = 0; c < T::kCols; ++c) {
      cols[c] = *reinterpret_cast<const float4*>(b + c * T::kAcross * T::kStride);
    }
#pragma unroll
    for (int r = 0; r < T::kRows; ++r) {
      const float4 row = *reinterpret_cast<const float4*>(a + r * T::kDown * T::kStride);
#pragma unroll
      for (int c = 0; c < T::kCols; ++c) {
        float& sum = sum_[r][c];
        sum += row.x * cols[c].x;
        sum += row.y * cols[c].y;
        sum += row.z * cols[c].z;
        sum += row.w * cols[c].w;
      }
    }
  }

  float sum_[T::kRows][T::kCols] = {};
};

/// Calls finish(i, j, sum) for each element of the block's tile. The position (y, x) of the tile is the index
/// of the block in the grid.
template <int kTile, bool kAlongA, bool kAlongB, class Finish>
__device__ void tile_product(const Operand<kAlongA>& a, const Operand<kAlongB>& b, int terms,
                             const Finish& finish) {
  using T = Tile<kTile>;
  // Declared as float4 for the alignment; the sums reuse the memory of the operands.
  SHARED_ARRAY(float4, memory, (T::kShared + 3) / 4);
  auto* shared = reinterpret_cast<float*>(memory);
  const int first_row = static_cast<int>(blockIdx.y) * kTile;
  const int first_col = static_cast<int>(blockIdx.x) * kTile;
  TileLoader<kTile, kAlongA> from_a(a, first_row, terms);
  TileLoader<kTile, kAlongB> from_b(b, first_col, terms);
  TileSums<kTile> sums;

  float* here = shared;
  float* there = shared + 2 * T::kOperandFloats;
  from_a.load(0);
  from_b.load(0);
  from_a.store(here);
  from_b.store(here + T::kOperandFloats);
  __syncthreads();
  for (int first = 0; first < terms; first += T::kTerms) {
    const int next = first + T::kTerms;
    if (next < terms) {
      from_a.load(next);
      from_b.load(next);
    }
    sums.add(here, here + T::kOperandFloats, terms - first);
    if (next < terms) {  // last read before the barrier that was passed
      from_a.store(there);
      from_b.store(there + T::kOperandFloats);
    }
    __syncthreads();
    float* const done = here;
    here = there;
    there = done;
  }

  sums.store(shared);
  __syncthreads();
  const int cols = b.rows + (b.ones ? 1 : 0);
#pragma unroll 1
  for (int item = static_cast<int>(threadIdx.x); item < kTile * kTile; item += T::kThreads) {
    const int row = item / kTile, col = item % kTile;
    if (first_row + row < a.rows && first_col + col < cols) {
      finish(first_row + row, first_col + col, TileSums<kTile>::total(shared, row, col));
    }
  }
}

}  // namespace warpfit
