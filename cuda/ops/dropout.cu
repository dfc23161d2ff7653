// values *= 0 or 1 / (1 - p), chosen by random words of (seed, layer, step, element index). A thread draws
// four words for four values and accesses the values together if they are aligned.
#include "cuda/device/kernel.cuh"
#include "cuda/ops/dropout.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kVector = 4;

__global__ void __launch_bounds__(kThreads)
    dropout_kernel(DropoutMask dropout, const Position* position, float* values, std::int64_t size,
                   std::int64_t cols) {
  const std::int64_t step = position->step;
  const std::int64_t start = position->first_row * cols;  // element of the mask for the first value
  const std::int64_t end = start + size;
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  const bool aligned = reinterpret_cast<std::uintptr_t>(values) % sizeof(float4) == 0 && start % kVector == 0;
  for (std::int64_t quad = start / kVector + std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
       quad * kVector < end; quad += stride) {
    const auto multipliers = dropout.multipliers(step, quad);
    const std::int64_t first = quad * kVector;
    if (aligned && first + kVector <= end) {
      float4& four = reinterpret_cast<float4*>(values)[(first - start) / kVector];
      four = make_float4(four.x * multipliers[0], four.y * multipliers[1], four.z * multipliers[2],
                         four.w * multipliers[3]);
    } else {
      for (int i = 0; i < kVector && first + i < end; ++i) {
        if (first + i >= start) values[first + i - start] *= multipliers[i];
      }
    }
  }
}

}  // namespace

void dropout(const DropoutMask& dropout, const Position* position, Matrix values, cudaStream_t stream) {
  launch_along(dropout_kernel, (values.size() + kVector - 1) / kVector, kThreads, stream, dropout, position,
               values.data, values.size(), values.cols);
}

}  // namespace warpfit::cuda
