// y = y + b, or max(y + b, 0); dx = y > 0 ? dx : 0. Accesses of 16 bytes if the addresses are aligned. A
// block processes several rows if they are short, as those of convolutions are, which have a column for each
// channel.
#include <algorithm>

#include "cuda/device/kernel.cuh"
#include "cuda/device/vector.cuh"
#include "cuda/ops/relu.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kVector = 4;

// Like std::max(x, 0), keeps a NaN: fmaxf would hide it.
template <bool kRelu>
__device__ float activate(float x) {
  return kRelu && x < 0.0F ? 0.0F : x;
}

template <bool kRelu>
__device__ float4 activate(float4 y, float4 b) {
  return make_float4(activate<kRelu>(y.x + b.x), activate<kRelu>(y.y + b.y), activate<kRelu>(y.z + b.z),
                     activate<kRelu>(y.w + b.w));
}

__device__ bool in_fours(const void* a, const void* b) {
  return (reinterpret_cast<std::uintptr_t>(a) | reinterpret_cast<std::uintptr_t>(b)) % sizeof(float4) == 0;
}

template <bool kRelu>
__global__ void __launch_bounds__(kThreads)
    bias_relu_forward_kernel(float* y, const float* __restrict__ b, std::int64_t rows, std::int64_t cols) {
  const std::int64_t first = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x;
  const std::int64_t first_row = std::int64_t{blockIdx.y} * blockDim.y + threadIdx.y;
  const bool vector = cols % kVector == 0 && in_fours(y, b);
  for (std::int64_t row = first_row; row < rows; row += gridDim.y * blockDim.y) {
    float* values = y + row * cols;
    if (vector) {
      auto* fours = reinterpret_cast<float4*>(values);
      for (std::int64_t i = first; i < cols / kVector; i += stride) {
        fours[i] = activate<kRelu>(fours[i], reinterpret_cast<const float4*>(b)[i]);
      }
    } else {
      for (std::int64_t i = first; i < cols; i += stride) values[i] = activate<kRelu>(values[i] + b[i]);
    }
  }
}

__global__ void __launch_bounds__(kThreads)
    relu_backward_kernel(const float* __restrict__ y, float* dx, std::int64_t size) {
  const std::int64_t first = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  const std::int64_t fours = in_fours(y, dx) ? size / kVector : 0;
  for (std::int64_t i = first; i < fours; i += stride) {
    const float4 out = load_four(y, i);
    const float4 in = load_four(dx, i);
    store_four(dx, i,
               make_float4(out.x > 0.0F ? in.x : 0.0F, out.y > 0.0F ? in.y : 0.0F, out.z > 0.0F ? in.z : 0.0F,
                           out.w > 0.0F ? in.w : 0.0F));
  }
  for (std::int64_t i = fours * kVector + first; i < size; i += stride) {
    if (!(y[i] > 0.0F)) dx[i] = 0.0F;
  }
}

}  // namespace

void bias_relu_forward(Matrix y, ConstVector b, ActivationKind activation, cudaStream_t stream) {
  const auto kernel =
      activation == ActivationKind::kRelu ? bias_relu_forward_kernel<true> : bias_relu_forward_kernel<false>;
  constexpr long long kMaxRows = 65'535;  // maximum y dimension of a grid
  const auto vectors = (y.cols + kVector - 1) / kVector;
  unsigned across = 1;
  while (across < vectors && across < kThreads) across *= 2;
  const dim3 block(across, kThreads / across);
  const auto max_blocks = blocks_at_once(kernel, kThreads);
  const auto along = blocks_for(vectors, static_cast<int>(block.x), max_blocks);
  const auto down =
      blocks_for(y.rows, static_cast<int>(block.y), std::clamp(max_blocks / along, 1LL, kMaxRows));
  launch(kernel, {{along, down}, block}, stream, y.data, b.data(), y.rows, y.cols);
}

void relu_backward(ConstVector y, Vector dx, cudaStream_t stream) {
  const auto size = static_cast<std::int64_t>(dx.size());
  launch_along(relu_backward_kernel, (size + kVector - 1) / kVector, kThreads, stream, y.data(), dx.data(),
               size);
}

}  // namespace warpfit::cuda
