// sum += share * g, with a memory traffic of 12 bytes per element; sum = 0.
#include "cuda/device/kernel.cuh"
#include "cuda/ops/gradient_sum.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    add_scaled_kernel(float share, const float* __restrict__ g, float* sum, std::int64_t size) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < size; i += stride)
    sum[i] += share * g[i];
}

__global__ void __launch_bounds__(kThreads) clear_kernel(float* values, std::int64_t size) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < size; i += stride)
    values[i] = 0;
}

}  // namespace

void add_scaled(float share, ConstVector values, Vector sum, cudaStream_t stream) {
  const auto size = static_cast<std::int64_t>(sum.size());
  launch_along(add_scaled_kernel, size, kThreads, stream, share, values.data(), sum.data(), size);
}

void clear(Vector values, cudaStream_t stream) {
  const auto size = static_cast<std::int64_t>(values.size());
  launch_along(clear_kernel, size, kThreads, stream, values.data(), size);
}

}  // namespace warpfit::cuda
