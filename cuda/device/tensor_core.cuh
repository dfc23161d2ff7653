// Matrix products on tensor cores in TF32, which is fp32 with 11 significant bits. An operand with more bits
// is split into parts, so that no product loses precision.
#pragma once

#include "cuda/device/reduce.cuh"

namespace warpfit {

/// The 11 upper significant bits of x. x - upper_bits(x) is exact, for finite x.
__device__ inline float upper_bits(float x) { return __uint_as_float(__float_as_uint(x) & 0xFFFFE000U); }

/// x - upper_bits(x), rounded to 11 significant bits: the error is at most 2^-22 of x.
__device__ inline float lower_bits(float x) {
  return __uint_as_float((__float_as_uint(x - upper_bits(x)) + 0x1000U) & 0xFFFFE000U);
}

/// The tensor cores of a warp. All lanes construct, call and destroy it together.
class TensorCores {
 public:
  /// d (16, 8) += a (16, 8) b (8, 8), for operands with 11 significant bits. With g = lane / 4 and t = lane %
  /// 4 a lane holds a(g, t), a(g + 8, t), a(g, t + 4) and a(g + 8, t + 4); b(t, g) and b(t + 4, g); d(g, 2t),
  /// d(g, 2t + 1), d(g + 8, 2t) and d(g + 8, 2t + 1).
  __device__ void add_product(float (&d)[4], float4 a, float2 b) {
#ifdef __CUDACC__
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(__float_as_uint(a.x)), "r"(__float_as_uint(a.y)), "r"(__float_as_uint(a.z)),
          "r"(__float_as_uint(a.w)), "r"(__float_as_uint(b.x)), "r"(__float_as_uint(b.y)));
#else
    Operands* all = all_[turn_ ^= 1];  // the other buffer may still be read
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    all[lane] = {{a.x, a.y, a.z, a.w}, {b.x, b.y}};
    __syncwarp();
    for (int i = 0; i < 4; ++i) {
      double sum = d[i];
      for (int k = 0; k < 8; ++k) {
        const float left = all[lane / 4 * 4 + k % 4].a[i / 2 + k / 4 * 2];
        const float right = all[(lane % 4 * 2 + i % 2) * 4 + k % 4].b[k / 4];
        sum += double{upper_bits(left)} * double{upper_bits(right)};
      }
      d[i] = static_cast<float>(sum);
    }
#endif
  }

#ifndef __CUDACC__
  TensorCores() {
    const auto first = __shfl_sync(kWholeWarp, reinterpret_cast<unsigned long long>(&operands_), 0);
    for (int turn = 0; turn < 2; ++turn) all_[turn] = reinterpret_cast<Operands*>(first) + turn * kWarp;
  }
  TensorCores(const TensorCores&) = delete;
  TensorCores& operator=(const TensorCores&) = delete;
  ~TensorCores() { __syncwarp(); }

 private:
  struct Operands {
    float a[4], b[2];
  } operands_[2][kWarp];  // those of lane 0 are shared by all lanes
  Operands* all_[2];
  int turn_ = 0;
#endif
};

}  // namespace warpfit
