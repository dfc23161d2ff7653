// Uses one thread per output; in the backward pass one per input, which reads the gradients of all windows
// that contain it. Deterministic: no atomics are used.
#include "cuda/device/kernel.cuh"
#include "cuda/ops/pool.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kThreads = 256;

// The coordinates of value `i` of a batch of images.
struct Place {
  std::int64_t plane, row, column;

  __device__ Place(std::int64_t i, const Image& image) {
    const std::int64_t size = image.height * image.width;
    plane = i / size;
    row = (i - plane * size) / image.width;
    column = i - plane * size - row * image.width;
  }
};

template <PoolKind kKind>
__global__ void __launch_bounds__(kThreads)
    pool_forward_kernel(PoolOperation operation, Image out, const float* __restrict__ x, float* y,
                        std::uint16_t* positions, std::int64_t size) {
  const Image& in = operation.in;
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < size; i += stride) {
    const Place place(i, out);
    const float* plane = x + place.plane * in.height * in.width;
    const std::int64_t top = place.row * operation.rows.stride - operation.rows.padding;
    const std::int64_t left = place.column * operation.columns.stride - operation.columns.padding;
    const std::int64_t bottom = min(top + operation.rows.size, in.height);
    const std::int64_t right = min(left + operation.columns.size, in.width);
    float result = 0;
    std::int64_t position = -1;
    for (std::int64_t row = max(top, std::int64_t{0}); row < bottom; ++row) {
      for (std::int64_t column = max(left, std::int64_t{0}); column < right; ++column) {
        const float value = plane[row * in.width + column];
        if constexpr (kKind == PoolKind::kAverage) {
          result += value;
        } else if (position < 0 || value > result || value != value) {  // NaN is propagated
          result = value;
          position = operation.position(place.row, place.column, row, column);
        }
      }
    }
    if constexpr (kKind == PoolKind::kAverage) {
      y[i] = result / static_cast<float>(operation.rows.size * operation.columns.size);
    } else {
      y[i] = result;
      positions[i] = static_cast<std::uint16_t>(position);
    }
  }
}

template <PoolKind kKind>
__global__ void __launch_bounds__(kThreads)
    pool_backward_kernel(PoolOperation operation, Image out, const float* __restrict__ dy,
                         const std::uint16_t* __restrict__ positions, float* dx, std::int64_t size) {
  const auto share = 1 / static_cast<float>(operation.rows.size * operation.columns.size);
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < size; i += stride) {
    const Place place(i, operation.in);
    const std::int64_t first = place.plane * out.height * out.width;
    const std::int64_t y_end = operation.rows.end(place.row, out.height);
    const std::int64_t x_end = operation.columns.end(place.column, out.width);
    float sum = 0;
    for (std::int64_t y = operation.rows.first(place.row); y < y_end; ++y) {
      for (std::int64_t x = operation.columns.first(place.column); x < x_end; ++x) {
        const std::int64_t at = first + y * out.width + x;
        if constexpr (kKind == PoolKind::kAverage) {
          sum += dy[at] * share;
        } else {
          if (positions[at] == operation.position(y, x, place.row, place.column)) sum += dy[at];
        }
      }
    }
    dx[i] = sum;
  }
}

}  // namespace

void pool_forward(const PoolOperation& operation, ConstMatrix x, Matrix y, std::uint16_t* positions,
                  cudaStream_t stream) {
  auto* const kernel = operation.kind == PoolKind::kMax ? pool_forward_kernel<PoolKind::kMax>
                                                        : pool_forward_kernel<PoolKind::kAverage>;
  launch_along(kernel, y.size(), kThreads, stream, operation, operation.out(), x.data, y.data, positions,
               y.size());
}

void pool_backward(const PoolOperation& operation, ConstMatrix dy, const std::uint16_t* positions, Matrix dx,
                   cudaStream_t stream) {
  auto* const kernel = operation.kind == PoolKind::kMax ? pool_backward_kernel<PoolKind::kMax>
                                                        : pool_backward_kernel<PoolKind::kAverage>;
  launch_along(kernel, dx.size(), kThreads, stream, operation, operation.out(), dy.data, positions, dx.data,
               dx.size());
}

}  // namespace warpfit::cuda
