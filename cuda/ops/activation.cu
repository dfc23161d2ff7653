// y = f(x) and dx = dy * f'(x), element-wise, with the same formulas as on the CPU.
#include "cuda/device/kernel.cuh"
#include "cuda/ops/activation.hpp"
#include "cuda/runtime/launch.hpp"
#include "host/backend/activation_function.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kThreads = 256;

template <class Function>
__global__ void __launch_bounds__(kThreads)
    activation_forward_kernel(Function function, const float* __restrict__ x, float* y, std::int64_t size) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < size; i += stride) {
    y[i] = function.value(x[i]);
  }
}

template <class Function>
__global__ void __launch_bounds__(kThreads)
    activation_backward_kernel(Function function, const float* __restrict__ x, const float* __restrict__ dy,
                               float* dx, std::int64_t size) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < size; i += stride) {
    dx[i] = dy[i] * function.derivative(x[i]);
  }
}

}  // namespace

void activation_forward(const Activation& activation, ConstMatrix x, Matrix y, cudaStream_t stream) {
  with_function(activation, [&](const auto& function) {
    launch_along(activation_forward_kernel<std::decay_t<decltype(function)>>, x.size(), kThreads, stream,
                 function, x.data, y.data, x.size());
  });
}

void activation_backward(const Activation& activation, ConstMatrix x, ConstMatrix dy, Matrix dx,
                         cudaStream_t stream) {
  with_function(activation, [&](const auto& function) {
    launch_along(activation_backward_kernel<std::decay_t<decltype(function)>>, x.size(), kThreads, stream,
                 function, x.data, dy.data, dx.data, x.size());
  });
}

}  // namespace warpfit::cuda
