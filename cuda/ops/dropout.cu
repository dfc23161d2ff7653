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
    dropout_kernel(DropoutMask dropout, const std::int64_t* step, float* values, std::int64_t size) {
  const std::int64_t number = *step;
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  const bool aligned = reinterpret_cast<std::uintptr_t>(values) % sizeof(float4) == 0;
  for (std::int64_t quad = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; quad * kVector < size;
       quad += stride) {
    const auto multipliers = dropout.multipliers(number, quad);
    if (aligned && quad * kVector + kVector <= size) {
      float4& four = reinterpret_cast<float4*>(values)[quad];
      four = make_float4(four.x * multipliers[0], four.y * multipliers[1], four.z * multipliers[2],
                         four.w * multipliers[3]);
    } else {
      for (int i = 0; i < kVector && quad * kVector + i < size; ++i)
        values[quad * kVector + i] *= multipliers[i];
    }
  }
}

}  // namespace

void dropout(const DropoutMask& dropout, const std::int64_t* step, Matrix values, cudaStream_t stream) {
  launch_along(dropout_kernel, (values.size() + kVector - 1) / kVector, kThreads, stream, dropout, step,
               values.data, values.size());
}

}  // namespace warpfit::cuda
