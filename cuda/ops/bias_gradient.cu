// Column sums: a block processes 32 columns, each of its 8 warps every eighth row, and the sums of the warps
// are added in order. Many rows are divided into chunks, whose sums are the rows of a second launch. There
// are no atomics, so the bits are the same each time.
#include <algorithm>

#include "cuda/device/kernel.cuh"
#include "cuda/ops/bias_gradient.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kColumns = 32;
constexpr int kWarps = 8;

// Without a rate, out = sum; otherwise out -= *rate * sum. Each chunk of the rows has its own row of `out`.
__global__ void __launch_bounds__(kColumns* kWarps)
    column_sum_kernel(const float* __restrict__ dy, const float* rate, float* out, std::int64_t rows,
                      std::int64_t cols) {
  SHARED_ARRAY(float, partial, kWarps* kColumns);
  const std::int64_t col = std::int64_t{blockIdx.x} * kColumns + threadIdx.x;
  const std::int64_t first = rows * blockIdx.y / gridDim.y;
  const std::int64_t end = rows * (blockIdx.y + 1) / gridDim.y;
  float sum = 0;
  if (col < cols) {
    for (std::int64_t row = first + threadIdx.y; row < end; row += kWarps) sum += dy[row * cols + col];
  }
  partial[threadIdx.y * kColumns + threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || col >= cols) return;
  for (int warp = 1; warp < kWarps; ++warp) sum += partial[warp * kColumns + threadIdx.x];
  float& result = out[blockIdx.y * cols + col];
  result = rate == nullptr ? sum : result - *rate * sum;
}

std::int64_t chunks_of(std::int64_t rows) {
  constexpr std::int64_t kMinRows = 256, kMaxChunks = 128;
  return std::clamp(rows / kMinRows, std::int64_t{1}, kMaxChunks);
}

void column_sum(ConstMatrix dy, const float* rate, Vector scratch, float* out, cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>((dy.cols + kColumns - 1) / kColumns);
  const auto chunks = scratch.empty() ? 1 : chunks_of(dy.rows);
  const auto sum = [&](ConstMatrix from, const float* with_rate, float* to, std::int64_t parts) {
    launch(column_sum_kernel, {{blocks, static_cast<unsigned>(parts)}, dim3(kColumns, kWarps)}, stream,
           from.data, with_rate, to, from.rows, from.cols);
  };
  if (chunks > 1) {
    sum(dy, nullptr, scratch.data(), chunks);
    dy = {scratch.data(), chunks, dy.cols};
  }
  sum(dy, rate, out, 1);
}

}  // namespace

std::int64_t bias_gradient_scratch(std::int64_t rows, std::int64_t cols) {
  const auto chunks = chunks_of(rows);
  return chunks > 1 ? chunks * cols : 0;
}

void bias_gradient(ConstMatrix dy, Vector db, cudaStream_t stream, Vector scratch) {
  column_sum(dy, nullptr, scratch, db.data(), stream);
}

void bias_sgd(ConstMatrix dy, const float* rate, Vector b, cudaStream_t stream, Vector scratch) {
  column_sum(dy, rate, scratch, b.data(), stream);
}

}  // namespace warpfit::cuda
