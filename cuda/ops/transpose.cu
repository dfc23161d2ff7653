// A block transposes tiles of 32 x 32 values through shared memory, so that reads and writes are both
// coalesced. The rows of the tile are padded by one value, so that no two threads of a warp access the same
// bank.
#include <algorithm>

#include "cuda/device/kernel.cuh"
#include "cuda/ops/transpose.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kTile = 32;
constexpr int kThreadRows = 8;

// With kUpdates, y -= *rate * the transposed x.
template <bool kUpdates>
__global__ void __launch_bounds__(kTile* kThreadRows)
    transpose_kernel(std::int64_t rows, std::int64_t columns, std::int64_t tiles, std::int64_t tiles_across,
                     std::int64_t tiles_of_sample, const float* __restrict__ x, const float* rate, float* y) {
  const float step = kUpdates ? *rate : 0;
  SHARED_ARRAY(float, tile, kTile*(kTile + 1));
  const auto lane = static_cast<int>(threadIdx.x) % kTile;
  const auto first = static_cast<int>(threadIdx.x) / kTile;
  for (std::int64_t number = blockIdx.x; number < tiles; number += gridDim.x) {
    const std::int64_t sample = number / tiles_of_sample;
    const std::int64_t within = number - sample * tiles_of_sample;
    const std::int64_t top = within / tiles_across * kTile;
    const std::int64_t left = within % tiles_across * kTile;
    const float* from = x + sample * rows * columns;
    float* to = y + sample * rows * columns;
    for (int i = first; i < kTile; i += kThreadRows) {
      if (top + i < rows && left + lane < columns)
        tile[i * (kTile + 1) + lane] = from[(top + i) * columns + left + lane];
    }
    __syncthreads();
    for (int i = first; i < kTile; i += kThreadRows) {
      if (left + i < columns && top + lane < rows) {
        const float value = tile[lane * (kTile + 1) + i];
        float& result = to[(left + i) * rows + top + lane];
        result = kUpdates ? result - step * value : value;
      }
    }
    __syncthreads();  // before the next tile is written
  }
}

template <bool kUpdates>
void launch_transpose(std::int64_t rows, std::int64_t columns, ConstMatrix x, const float* rate, Matrix y,
                      cudaStream_t stream) {
  const auto kernel = transpose_kernel<kUpdates>;
  constexpr int kThreads = kTile * kThreadRows;
  const auto tiles_across = (columns + kTile - 1) / kTile;
  const auto tiles_of_sample = (rows + kTile - 1) / kTile * tiles_across;
  const auto tiles = x.rows * tiles_of_sample;
  const auto blocks = std::min<std::int64_t>(tiles, blocks_at_once(kernel, kThreads));
  launch(kernel, {static_cast<unsigned>(blocks), kThreads}, stream, rows, columns, tiles, tiles_across,
         tiles_of_sample, x.data, rate, y.data);
}

}  // namespace

void transpose(std::int64_t rows, std::int64_t columns, ConstMatrix x, Matrix y, cudaStream_t stream) {
  launch_transpose<false>(rows, columns, x, nullptr, y, stream);
}

void transposed_sgd_update(std::int64_t rows, std::int64_t columns, ConstMatrix dw, const float* rate,
                           Matrix w, cudaStream_t stream) {
  launch_transpose<true>(rows, columns, dw, rate, w, stream);
}

}  // namespace warpfit::cuda
