// w -= rate * dw: bound by memory bandwidth, with 12 bytes per element, so accesses have 16 bytes.
#include "cuda/device/kernel.cuh"
#include "cuda/device/vector.cuh"
#include "cuda/ops/sgd.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kVector = 4;

__global__ void __launch_bounds__(kThreads)
    sgd_update_kernel(float* w, const float* __restrict__ dw, const float* rate, std::int64_t size) {
  const float step = *rate;
  const std::int64_t first = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  const bool aligned =
      (reinterpret_cast<std::uintptr_t>(w) | reinterpret_cast<std::uintptr_t>(dw)) % sizeof(float4) == 0;
  const std::int64_t fours = aligned ? size / kVector : 0;
  for (std::int64_t i = first; i < fours; i += stride) {
    float4 value = load_four(w, i);
    const float4 gradient = load_four(dw, i);
    value.x -= step * gradient.x;
    value.y -= step * gradient.y;
    value.z -= step * gradient.z;
    value.w -= step * gradient.w;
    store_four(w, i, value);
  }
  for (std::int64_t i = fours * kVector + first; i < size; i += stride) w[i] -= step * dw[i];
}

}  // namespace

void sgd_update(Vector parameters, ConstVector gradients, const float* rate, cudaStream_t stream) {
  const auto size = static_cast<std::int64_t>(parameters.size());
  launch_along(sgd_update_kernel, (size + kVector - 1) / kVector, kThreads, stream, parameters.data(),
               gradients.data(), rate, size);
}

}  // namespace warpfit::cuda
