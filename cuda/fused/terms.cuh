// Building blocks of matrix products in shared memory.
#pragma once

#include <cstdint>

#include "cuda/device/kernel.cuh"
#include "cuda/device/reduce.cuh"

#ifdef __CUDACC__
#include <cuda_pipeline.h>
#endif

namespace warpfit::cuda {

constexpr int kVector = 4;

/// Rows of a matrix, each aligned to four elements.
template <class T>
struct Rows {
  const T* data;
  int stride;

  __device__ const T* row(int n) const { return data + n * stride; }
};

/// Adjacent floats, aligned to their number, which are read and written together.
template <int kCount>
struct alignas(kCount * sizeof(float)) Pack {
  float of[kCount];
};

template <int kCount>
__device__ Pack<kCount>& pack(float* from) {
  return *reinterpret_cast<Pack<kCount>*>(from);
}

__device__ inline float4 four(const float* from) { return *reinterpret_cast<const float4*>(from); }
__device__ inline float4 four(const std::uint8_t* from) {
  const uchar4 p = *reinterpret_cast<const uchar4*>(from);
  return make_float4(p.x, p.y, p.z, p.w);
}

__device__ inline void add_product(float& sum, float4 a, float4 b) {
  sum += a.x * b.x;
  sum += a.y * b.y;
  sum += a.z * b.z;
  sum += a.w * b.w;
}

__device__ inline void add_product(float4& sum, float a, float4 b) {
  sum.x += a * b.x;
  sum.y += a * b.y;
  sum.z += a * b.z;
  sum.w += a * b.w;
}

/// a / b for a >= 0 and b > 0, with fast paths for the usual cases: an integer division takes 25
/// instructions.
__device__ inline int quotient(int a, int b) {
  if (b == 1) return a;
  return a < b ? 0 : a / b;
}

/// The sum of v[i] over the lanes of the warp, in lane i: 31 shuffles, where 32 separate sums take 160.
/// A recursive template, because nvcc did not unroll a loop and selected v[i + half] at run time.
template <int kHalf = kWarp / 2>
__device__ float transposed_sum(float (&v)[kWarp]) {
  const bool upper = (threadIdx.x & kHalf) != 0;
#pragma unroll
  for (int i = 0; i < kHalf; ++i) {
    const float keep = upper ? v[i + kHalf] : v[i];
    const float give = upper ? v[i] : v[i + kHalf];
    v[i] = keep + __shfl_xor_sync(kWholeWarp, give, kHalf);
  }
  if constexpr (kHalf > 1) return transposed_sum<kHalf / 2>(v);
  return v[0];
}

}  // namespace warpfit::cuda
