// Uses one thread per output; in the backward pass one per input, which reads the gradients of all windows
// that contain it. Deterministic: no atomics are used.
#include "cuda/device/kernel.cuh"
#include "cuda/ops/pool.hpp"
#include "cuda/runtime/launch.hpp"
#include "host/base/error.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kThreads = 256;

// The coordinates of value `i` of a batch of images. The number of values of a batch fits into 32 bits;
// divisions of 32 bits are several times faster than those of 64.
struct Coordinates {
  std::uint32_t sample;
  int row, column, channel;

  __device__ Coordinates(std::uint32_t i, const Image& image) {
    const auto channels = static_cast<std::uint32_t>(image.channels);
    const auto width = static_cast<std::uint32_t>(image.width);
    const auto height = static_cast<std::uint32_t>(image.height);
    const std::uint32_t pixel = i / channels;
    const std::uint32_t line = pixel / width;
    sample = line / height;
    channel = static_cast<int>(i - pixel * channels);
    column = static_cast<int>(pixel - line * width);
    row = static_cast<int>(line - sample * height);
  }
};

template <PoolKind kKind>
__global__ void __launch_bounds__(kThreads)
    pool_forward_kernel(PoolOperation operation, Image out, const float* __restrict__ x, float* y,
                        std::uint16_t* positions, std::uint32_t size) {
  const Image& in = operation.in;
  const std::uint32_t stride = gridDim.x * kThreads;
  for (std::uint32_t i = blockIdx.x * kThreads + threadIdx.x; i < size; i += stride) {
    const Coordinates at(i, out);
    const float* image = x + at.sample * in.size() + at.channel;
    const std::int64_t top = at.row * operation.rows.stride - operation.rows.padding;
    const std::int64_t left = at.column * operation.columns.stride - operation.columns.padding;
    const std::int64_t bottom = min(top + operation.rows.size, in.height);
    const std::int64_t right = min(left + operation.columns.size, in.width);
    float result = 0;
    std::int64_t position = -1;
    for (std::int64_t row = max(top, std::int64_t{0}); row < bottom; ++row) {
      for (std::int64_t column = max(left, std::int64_t{0}); column < right; ++column) {
        const float value = image[(row * in.width + column) * in.channels];
        if constexpr (kKind == PoolKind::kAverage) {
          result += value;
        } else if (position < 0 || value > result || value != value) {  // NaN is propagated
          result = value;
          position = operation.position(at.row, at.column, row, column);
        }
      }
    }
    if constexpr (kKind == PoolKind::kAverage) {
      y[i] = result / static_cast<float>(operation.rows.size * operation.columns.size);
    } else {
      const bool has_relu = operation.activation == ActivationKind::kRelu;
      y[i] = has_relu && result < 0 ? 0.0F : result;
      positions[i] = has_relu && !(result > 0) ? kNoPosition : static_cast<std::uint16_t>(position);
    }
  }
}

template <PoolKind kKind>
__global__ void __launch_bounds__(kThreads)
    pool_backward_kernel(PoolOperation operation, Image out, const float* __restrict__ dy,
                         const std::uint16_t* __restrict__ positions, float* dx, std::uint32_t size) {
  const auto share = 1 / static_cast<float>(operation.rows.size * operation.columns.size);
  const std::uint32_t stride = gridDim.x * kThreads;
  for (std::uint32_t i = blockIdx.x * kThreads + threadIdx.x; i < size; i += stride) {
    const Coordinates at(i, operation.in);
    const std::int64_t first = at.sample * out.size() + at.channel;
    const std::int64_t y_end = operation.rows.end(at.row, out.height);
    const std::int64_t x_end = operation.columns.end(at.column, out.width);
    float sum = 0;
    for (std::int64_t y = operation.rows.first(at.row); y < y_end; ++y) {
      for (std::int64_t x = operation.columns.first(at.column); x < x_end; ++x) {
        const std::int64_t result = first + (y * out.width + x) * out.channels;
        if constexpr (kKind == PoolKind::kAverage) {
          sum += dy[result] * share;
        } else {
          if (positions[result] == operation.position(y, x, at.row, at.column)) sum += dy[result];
        }
      }
    }
    dx[i] = sum;
  }
}

// Errors: DeviceError if a batch has 2^31 values or more.
std::uint32_t checked_size(std::int64_t size) {
  constexpr std::int64_t kMaxSize = std::int64_t{1} << 31;  // adding a stride to an index does not overflow
  if (size >= kMaxSize) throw DeviceError("pooling: a batch of images has 2^31 values or more");
  return static_cast<std::uint32_t>(size);
}

}  // namespace

void pool_forward(const PoolOperation& operation, ConstMatrix x, Matrix y, std::uint16_t* positions,
                  cudaStream_t stream) {
  auto* const kernel = operation.kind == PoolKind::kMax ? pool_forward_kernel<PoolKind::kMax>
                                                        : pool_forward_kernel<PoolKind::kAverage>;
  launch_along(kernel, y.size(), kThreads, stream, operation, operation.out(), x.data, y.data, positions,
               checked_size(y.size()));
}

void pool_backward(const PoolOperation& operation, ConstMatrix dy, const std::uint16_t* positions, Matrix dx,
                   cudaStream_t stream) {
  auto* const kernel = operation.kind == PoolKind::kMax ? pool_backward_kernel<PoolKind::kMax>
                                                        : pool_backward_kernel<PoolKind::kAverage>;
  launch_along(kernel, dx.size(), kThreads, stream, operation, operation.out(), dy.data, positions, dx.data,
               checked_size(dx.size()));
}

}  // namespace warpfit::cuda
