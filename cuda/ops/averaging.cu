// a = lerp(a, w, weight), bound by memory bandwidth. The averaged models are counted on the device, so that a
// recorded step can be replayed.
#include "cuda/device/kernel.cuh"
#include "cuda/device/reduce.cuh"
#include "cuda/ops/averaging.hpp"
#include "cuda/runtime/launch.hpp"
#include "host/backend/average_formula.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    average_kernel(double decay, const float* __restrict__ w, float* a, AverageProgress* progress,
                   std::int64_t size) {
  const std::int64_t models = progress->models;
  const float weight = average_weight(decay, models);
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < size; i += stride)
    a[i] = warpfit::average(a[i], w[i], weight);
  // Executed by the last block, when every block has read the number.
  if (is_last_block(&progress->arrived) && threadIdx.x == 0) progress->models = models + 1;
}

__global__ void __launch_bounds__(kThreads) swap_kernel(float* a, float* b, std::int64_t size) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < size; i += stride) {
    const float from_a = a[i];
    a[i] = b[i];
    b[i] = from_a;
  }
}

}  // namespace

void average(double decay, ConstVector parameters, Vector averages, AverageProgress* progress,
             cudaStream_t stream) {
  const auto size = static_cast<std::int64_t>(parameters.size());
  launch_along(average_kernel, size, kThreads, stream, decay, parameters.data(), averages.data(), progress,
               size);
}

void swap(Vector a, Vector b, cudaStream_t stream) {
  const auto size = static_cast<std::int64_t>(a.size());
  launch_along(swap_kernel, size, kThreads, stream, a.data(), b.data(), size);
}

}  // namespace warpfit::cuda
