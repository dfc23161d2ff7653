// g *= min(1, max_norm / (||g|| + 1e-6)), or g = min(max(g, -limit), limit). The squares are added in double:
// each block its share, then the last block the sums of the blocks in order. There are no float atomics, so
// the bits are the same each time.
#include <cmath>

#include "cuda/device/kernel.cuh"
#include "cuda/device/reduce.cuh"
#include "cuda/ops/gradient_clipping.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kThreads = 256;
constexpr auto kParts = static_cast<int>(GradientNorm::kParts);

__global__ void __launch_bounds__(kThreads)
    gradient_norm_kernel(const float* __restrict__ g, GradientNorm* norm, std::int64_t size) {
  const auto add = [](double a, double b) { return a + b; };
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  double sum = 0;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < size; i += stride) {
    sum += double{g[i]} * g[i];
  }
  sum = block_reduce<kThreads>(sum, add);
  double* parts = norm->parts.data();
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
  if (!is_last_block(&norm->arrived)) return;
  sum = 0;
  for (unsigned part = threadIdx.x; part < gridDim.x; part += kThreads) sum += parts[part];
  sum = block_reduce<kThreads>(sum, add);
  if (threadIdx.x == 0) norm->norm = static_cast<float>(sqrt(sum));
}

__global__ void __launch_bounds__(kThreads)
    scale_to_norm_kernel(float max_norm, const GradientNorm* norm, float* g, std::int64_t size) {
  const float factor = max_norm / (norm->norm + 1e-6F);
  if (factor >= 1) return;  // false for a NaN, which spreads as in PyTorch
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < size; i += stride)
    g[i] *= factor;
}

__global__ void __launch_bounds__(kThreads)
    clip_gradient_value_kernel(float limit, float* g, std::int64_t size) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < size; i += stride) {
    g[i] = g[i] > limit ? limit : g[i] < -limit ? -limit : g[i];  // a NaN stays a NaN
  }
}

}  // namespace

void clip_gradient_norm(float max_norm, Vector gradients, GradientNorm* norm, cudaStream_t stream) {
  const auto size = static_cast<std::int64_t>(gradients.size());
  launch(gradient_norm_kernel, {blocks_for(size, kThreads, kParts), kThreads}, stream, gradients.data(), norm,
         size);
  if (std::isinf(max_norm)) return;
  launch_along(scale_to_norm_kernel, size, kThreads, stream, max_norm, norm, gradients.data(), size);
}

void clip_gradient_value(float limit, Vector gradients, cudaStream_t stream) {
  const auto size = static_cast<std::int64_t>(gradients.size());
  launch_along(clip_gradient_value_kernel, size, kThreads, stream, limit, gradients.data(), size);
}

}  // namespace warpfit::cuda
