// z = x + y, or max(x + y, 0), with accesses of 16 bytes if the addresses are aligned.
#include "cuda/device/kernel.cuh"
#include "cuda/device/vector.cuh"
#include "cuda/ops/add.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kVector = 4;

// A NaN remains.
__device__ float sum_of(float x, float y, bool relu) {
  const float sum = x + y;
  return relu && sum < 0 ? 0.0F : sum;
}

__global__ void __launch_bounds__(kThreads)
    add_kernel(const float* x, const float* y, bool relu, bool aligned, float* z, std::int64_t size) {
  const std::int64_t first = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  const std::int64_t fours = aligned ? size / kVector : 0;
  for (std::int64_t i = first; i < fours; i += stride) {
    const float4 a = load_four(x, i), b = load_four(y, i);
    store_four(z, i,
               make_float4(sum_of(a.x, b.x, relu), sum_of(a.y, b.y, relu), sum_of(a.z, b.z, relu),
                           sum_of(a.w, b.w, relu)));
  }
  for (std::int64_t i = fours * kVector + first; i < size; i += stride) z[i] = sum_of(x[i], y[i], relu);
}

}  // namespace

void add(ConstVector x, ConstVector y, ActivationKind activation, Vector z, cudaStream_t stream) {
  const auto size = static_cast<std::int64_t>(z.size());
  const auto address = [](const void* data) { return reinterpret_cast<std::uintptr_t>(data); };
  const bool aligned = (address(x.data()) | address(y.data()) | address(z.data())) % sizeof(float4) == 0;
  launch_along(add_kernel, (size + kVector - 1) / kVector, kThreads, stream, x.data(), y.data(),
               activation == ActivationKind::kRelu, aligned, z.data(), size);
}

}  // namespace warpfit::cuda
