// The first layer's matrix products on tensor cores, for plans known at compile time. Pixels have 8
// significant bits, so for fp32 accuracy only the other operand is split into two parts: the columns of a
// tile's right-hand operand are the upper bits of the block's four columns, followed by their lower bits.
#pragma once

#include "cuda/device/tensor_core.cuh"
#include "cuda/fused/loss_rows.cuh"

namespace warpfit::cuda {

constexpr int kTutorialInputs = kTutorialPlan.widths[0];
constexpr int kTutorialColumns = kTutorialPlan.columns[1];
static_assert(kTutorialColumns == 4 && kTutorialInputs % 16 == 0 && kTutorialPlan.rows % 16 == 0);

/// Bytes of shared memory for the lower bits of the first layer's weights, located after those of the plan.
constexpr int kLowerBytes = kTutorialColumns * kTutorialInputs * int{sizeof(float)};

template <FusedCode kCode>
class FirstLayer : protected LossRows<kCode> {
 protected:
  using Memory = LossRows<kCode>;
  using Memory::Memory, Memory::thread, Memory::threads, Memory::plan, Memory::floats, Memory::weights,
      Memory::gradients, Memory::pixels, Memory::loaded_pixels;

  /// The lower bits of w[j][k].
  __device__ float* lower(int j, int k) const {
    return floats(kTutorialPlan.shared_bytes / kOffsetUnit) + j * kTutorialInputs + k;
  }
  /// To be called after load_parameters().
  __device__ void load_lower() {
    for (int i = thread(); i < kTutorialColumns * kTutorialInputs; i += threads()) {
      *lower(0, i) = lower_bits(weights(0)[i]);
    }
  }

  /// Calls finish(n, j, sum of pixels[n][k] w[j][k]) for each row n and own column j. A warp processes 16
  /// rows and half of the pixels, sixteen at a time: four adjacent pixels are a lane's terms of two tiles.
  template <class Finish>
  __device__ void pixel_products(const Finish& finish) {
    constexpr int kTiles = kTutorialPlan.rows / 16;
    constexpr int kGroups = kTutorialInputs / 16;
    static_assert(kTutorialPlan.threads == 2 * kTiles * kWarp);
    const int tile = thread() / kWarp % kTiles;
    const bool second = thread() / kWarp >= kTiles;
    const int row = tile * 16 + g();
    const std::uint8_t* x = loaded_pixels(row) + t() * kVector;
    const std::uint8_t* y = loaded_pixels(row + 8) + t() * kVector;
    const float* w = (g() < 4 ? weights(0) + g() * kTutorialInputs : lower(g() - 4, 0)) + t() * kVector;
    TensorCores cores;
    constexpr int kChains = 4;  // independent sums
    float d[kChains][4] = {};
    const auto add = [&](int group, float(&d0)[4], float(&d1)[4]) {
      const float4 p = four(x + group * 16);
      const float4 q = four(y + group * 16);
      const float4 b = four(w + group * 16);
      cores.add_product(d0, make_float4(p.x, q.x, p.y, q.y), make_float2(upper_bits(b.x), upper_bits(b.y)));
      cores.add_product(d1, make_float4(p.z, q.z, p.w, q.w), make_float2(upper_bits(b.z), upper_bits(b.w)));
    };
    constexpr int kHalf = kGroups / 2;  // if odd, the first half has one more
    const int first = second ? kHalf + 1 : 0;
#pragma unroll 2
    for (int group = first; group < first + kHalf; group += 2) {
      add(group, d[0], d[1]);
      add(group + 1, d[2], d[3]);
    }
    static_assert(kHalf % 2 == 0 && kGroups == 2 * kHalf + 1);
    if (!second) add(kHalf, d[0], d[1]);

    // The sums of the lower bits are held by the lane two further on. Of the two rows, each lane keeps one.
    const int kept = t() / 2;  // row g or g + 8
    float sum[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const float upper_row = (d[0][i] + d[1][i]) + (d[2][i] + d[3][i]);
      const float lower_row = (d[0][i + 2] + d[1][i + 2]) + (d[2][i + 2] + d[3][i + 2]);
      const float give = kept == 0 ? lower_row : upper_row;
      sum[i] = (kept == 0 ? upper_row : lower_row) + __shfl_xor_sync(kWholeWarp, give, 2);
    }
    float* other = floats(plan().partial) + tile * 2 * kWarp + thread() % kWarp;
    if (second) {
      other[0] = sum[0];
      other[kWarp] = sum[1];
    }
    __syncthreads();
    if (second) return;
    finish(row + kept * 8, t() % 2 * 2, sum[0] + other[0]);
    finish(row + kept * 8, t() % 2 * 2 + 1, sum[1] + other[kWarp]);
  }

  /// Calls finish(j, k, sums of own gradients [n][j] pixels[n][k] and [k + 1]) for each own column j and even
  /// k. A warp processes 32 pixels: four adjacent pixels are a lane's rows of two tiles. The rows n that the
  /// lanes read at the same time are in different banks.
  template <class Finish>
  __device__ void pixel_gradients(const Finish& finish) {
    constexpr int kSteps = kTutorialPlan.rows / 8;
    const auto row_of = [&](int step, int upper) { return step / 2 * 16 + upper * 8 + t() * 2 + step % 2; };
    float2 b[kSteps];
    const auto part = [&](int n) {
      const float d = gradients()[n * kTutorialColumns + g() % 4];
      return g() < 4 ? upper_bits(d) : lower_bits(d);
    };
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      b[step] = make_float2(part(row_of(step, 0)), part(row_of(step, 1)));
    }
    const bool kept = t() / 2 != 0;  // which of the two tiles
    TensorCores cores;
#pragma unroll 1
    for (int group = thread() / kWarp; group * 32 < kTutorialInputs; group += threads() / kWarp) {
      const int k = group * 32 + g() * kVector;
      const std::uint8_t* from = pixels() + min(k, kTutorialInputs - kVector);
      float d[2][4] = {};
#pragma unroll
      for (int step = 0; step < kSteps; ++step) {
        const float4 p = four(from + row_of(step, 0) * kTutorialInputs);
        const float4 q = four(from + row_of(step, 1) * kTutorialInputs);
        cores.add_product(d[0], make_float4(p.x, p.y, q.x, q.y), b[step]);
        cores.add_product(d[1], make_float4(p.z, p.w, q.z, q.w), b[step]);
      }
      float sum[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        sum[i] = (kept ? d[1][i] : d[0][i]) + __shfl_xor_sync(kWholeWarp, kept ? d[0][i] : d[1][i], 2);
      }
      if (k >= kTutorialInputs) continue;
      const int j = t() % 2 * 2;
      const int at = k + (kept ? 2 : 0);
      finish(j, at, Pack<2>{sum[0], sum[2]});
      finish(j + 1, at, Pack<2>{sum[1], sum[3]});
    }
  }

 private:
  __device__ static int g() { return thread() % kWarp / 4; }  // as named in TensorCores
  __device__ static int t() { return thread() % 4; }
};

}  // namespace warpfit::cuda
