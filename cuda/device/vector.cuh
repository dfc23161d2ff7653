// Accesses to four adjacent floats or bytes at a time.
#pragma once

#include <cstdint>

#include "cuda/device/kernel.cuh"

namespace warpfit {

// UBSan checks the alignment when a reference is bound, but not when a float4 is copied.

/// Elements 4 * i to 4 * i + 3; their address is a multiple of 16 bytes.
__device__ inline float4 load_four(const float* from, std::int64_t i) {
  const float4& four = reinterpret_cast<const float4*>(from)[i];
  return four;
}
__device__ inline uchar4 load_four(const std::uint8_t* from, std::int64_t i) {  // aligned to 4 bytes
  const uchar4& four = reinterpret_cast<const uchar4*>(from)[i];
  return four;
}
__device__ inline void store_four(float* to, std::int64_t i, float4 four) {
  float4& target = reinterpret_cast<float4*>(to)[i];
  target = four;
}

}  // namespace warpfit
