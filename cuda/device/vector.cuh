// Four floats or bytes side by side, in one access.
#pragma once

#include <cstdint>

#include "cuda/device/kernel.cuh"

namespace warpfit {

// UBSan checks the alignment where a reference is bound, but not where a float4 is copied.

/// Elements 4 * i to 4 * i + 3, which begin at a multiple of sixteen bytes.
__device__ inline float4 load_four(const float* from, std::int64_t i) {
  const float4& four = reinterpret_cast<const float4*>(from)[i];
  return four;
}
__device__ inline uchar4 load_four(const std::uint8_t* from, std::int64_t i) {  // at a multiple of four
  const uchar4& four = reinterpret_cast<const uchar4*>(from)[i];
  return four;
}
__device__ inline void store_four(float* to, std::int64_t i, float4 four) {
  float4& target = reinterpret_cast<float4*>(to)[i];
  target = four;
}

}  // namespace warpfit
