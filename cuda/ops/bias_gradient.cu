// Column sums: a block processes 32 columns, each of its 8 warps every eighth row, and the sums of the warps
// are added in order. There are no atomics, so the bits are the same each time.
#include "cuda/device/kernel.cuh"
#include "cuda/ops/bias_gradient.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kColumns = 32;
constexpr int kWarps = 8;

// Without a rate, out = sum; otherwise out -= *rate * sum.
__global__ void __launch_bounds__(kColumns* kWarps)
    column_sum_kernel(const float* __restrict__ dy, const float* rate, float* out, std::int64_t rows,
                      std::int64_t cols) {
  SHARED_ARRAY(float, partial, kWarps* kColumns);
  const std::int64_t col = std::int64_t{blockIdx.x} * kColumns + threadIdx.x;
  float sum = 0;
  if (col < cols) {
    for (std::int64_t row = threadIdx.y; row < rows; row += kWarps) sum += dy[row * cols + col];
  }
  partial[threadIdx.y * kColumns + threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || col >= cols) return;
  for (int warp = 1; warp < kWarps; ++warp) sum += partial[warp * kColumns + threadIdx.x];
  out[col] = rate == nullptr ? sum : out[col] - *rate * sum;
}

void column_sum(ConstMatrix dy, const float* rate, float* out, cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>((dy.cols + kColumns - 1) / kColumns);
  launch(column_sum_kernel, {blocks, dim3(kColumns, kWarps)}, stream, dy.data, rate, out, dy.rows, dy.cols);
}

}  // namespace

void bias_gradient(ConstMatrix dy, Vector db, cudaStream_t stream) {
  column_sum(dy, nullptr, db.data(), stream);
}

void bias_sgd(ConstMatrix dy, const float* rate, Vector b, cudaStream_t stream) {
  column_sum(dy, rate, b.data(), stream);
}

}  // namespace warpfit::cuda
