// The part of the network that a block holds in its shared memory (plan.hpp): the offsets of the data, and
// how it is loaded.
#pragma once

#include "cuda/device/prefetch.cuh"
#include "cuda/fused/fused_run.hpp"
#include "cuda/fused/plan_layout.hpp"
#include "cuda/fused/products.cuh"

namespace warpfit::cuda {

/// Sums are computed with pixels as integers; each sum is scaled once.
constexpr float kPixelScale = 1.0F / 255.0F;

/// Indices i refer to values (0 for the samples, `layers` for the logits), unless they are said to be those
/// of layers.
template <FusedCode kCode>
class BlockMemory {
 protected:
  static constexpr bool kKnown = kCode != FusedCode::kAny;

  __device__ BlockMemory(const FusedRun& run, unsigned char* shared) : run_(run), shared_(shared) {}

  __device__ constexpr std::conditional_t<kKnown, FusedPlan, const FusedPlan&> plan() const {
    if constexpr (kKnown) {
      constexpr FusedPlan plan = tutorial_plan();
      return plan;
    } else {
      return run_.plan;
    }
  }
  __device__ int rows() const { return kKnown ? plan().rows : static_cast<int>(run_.batches.rows); }

  __device__ static int thread() { return static_cast<int>(threadIdx.x); }
  __device__ int threads() const { return kKnown ? plan().threads : static_cast<int>(blockDim.x); }
  __device__ int top() const { return plan().layers - 1; }  // the last layer, and the values before it

  __device__ unsigned char* memory(int offset) const { return shared_ + offset * kOffsetUnit; }
  __device__ float* floats(int offset) const { return reinterpret_cast<float*>(memory(offset)); }
  __device__ float* weights(int layer) const { return floats(plan().weights[layer]); }
  __device__ float* outgoing_weights(int values) const { return floats(plan().outgoing_weights[values]); }
  __device__ float* biases(int layer) const { return floats(plan().biases[layer]); }
  __device__ float* values(int i) const { return floats(plan().values[i]); }
  __device__ float* gradients() const { return floats(plan().gradients); }
  __device__ void* step_constants() const { return memory(plan().step_constants); }
  __device__ const std::uint8_t* pixels() const { return memory(plan().pixels); }
  __device__ int pixel_stride() const { return FusedPlan::padded(plan().widths[0], 16); }
  __device__ int own_stride(int i) const { return FusedPlan::padded(plan().columns[i]); }
  __device__ int stride(int i) const { return FusedPlan::padded(plan().widths[i]); }

  __device__ int first_column(int i) const { return static_cast<int>(blockIdx.x) * plan().columns[i]; }
  __device__ int own_columns(int i) const {
    if constexpr (kKnown) return kCode == FusedCode::kTutorialOwner ? plan().columns[i] : 0;
    return max(0, min(plan().columns[i], plan().widths[i] - first_column(i)));
  }
  __device__ std::int64_t weight_at(int layer, int output, int input) const {
    return run_.weights[layer] + std::int64_t{output} * plan().widths[layer] + input;
  }
  __device__ std::int64_t sample_of(std::int64_t visit) const {
    const SampleView& samples = run_.batches.samples;
    return samples.order == nullptr ? visit : samples.order[visit];
  }

  __device__ int label_of(std::int64_t visit) const { return run_.batches.samples.labels[sample_of(visit)]; }

  /// Whether four adjacent weights of a layer can be accessed together.
  __device__ bool in_packs(int layer) const {
    return kKnown || (plan().widths[layer] % kVector == 0 && run_.weights[layer] % kVector == 0);
  }

  /// Calls work(i) for first <= i < end. If the plan is known at compile time, the loop is unrolled and i is
  /// a constant.
  template <int kLayer = 0, class Work>
  __device__ static void for_each(int first, int end, const Work& work) {
    if constexpr (!kKnown) {
#pragma unroll 1
      for (int i = first; i < end; ++i) work(i);
    } else if constexpr (kLayer <= kTutorialPlan.layers) {
      if (first <= kLayer && kLayer < end) work(kLayer);
      for_each<kLayer + 1>(first, end, work);
    }
  }

  // The following functions are called by all threads; the loaded data is available after the next barrier.

  __device__ void load_parameters() {
    for (int i = thread(); i < plan().shared_bytes / int{sizeof(float)}; i += threads()) floats(0)[i] = 0;
    __syncthreads();
    for_each(0, top(), [&](int layer) {
      const int width = plan().widths[layer];
      const int own = own_columns(layer + 1);
      for (int i = thread(); i < own * width; i += threads()) {
        weights(layer)[i / width * FusedPlan::padded(width) + i % width] =
            run_.parameters[weight_at(layer, first_column(layer + 1) + i / width, i % width)];
      }
      for (int j = thread(); j < own; j += threads()) {
        biases(layer)[j] = run_.parameters[run_.biases[layer] + first_column(layer + 1) + j];
      }
    });
    load_outgoing_weights(top());
  }

  __device__ void load_pixels(std::int64_t first) {
    const SampleView& samples = run_.batches.samples;
    const int width = plan().widths[0];
    if (width % kPiece == 0 && reinterpret_cast<std::uintptr_t>(samples.pixels) % kPiece == 0) {
      for_each_row([&](int row) { return sample_of(first + row); },
                   [&](int row, std::int64_t sample) {
                     const std::uint8_t* from = samples.pixels + sample * width;
                     std::uint8_t* to = memory(plan().pixels) + row * width;
                     for (int at = thread() % kWarp * kPiece; at < width; at += kWarp * kPiece) {
                       __pipeline_memcpy_async(to + at, from + at, kPiece);
                     }
                   });
      wait_for_copies();
    } else {
      for (int i = thread(); i < rows() * width; i += threads()) {
        memory(plan().pixels)[i / width * pixel_stride() + i % width] =
            samples.pixels[sample_of(first + i / width) * width + i % width];
      }
    }
  }

  /// Prefetches the samples of a batch into the L2 cache. Each block prefetches a row; the last blocks come
  /// first, because the first blocks have other work.
  __device__ void prefetch_samples(std::int64_t first) const {
    const SampleView& samples = run_.batches.samples;
    const int blocks = plan().blocks;
    for (int row = blocks - 1 - static_cast<int>(blockIdx.x); row < rows(); row += blocks) {
      const std::int64_t sample = sample_of(first + row);
      const std::uint8_t* from = samples.pixels + sample * plan().widths[0];
      for (int at = thread() * kLine; at < plan().widths[0] + kLine; at += threads() * kLine)
        prefetch_l2(from + at);
      if (thread() == 0) prefetch_l2(samples.labels + sample);
    }
  }

  /// Loads a matrix with the columns of all blocks, including padding. Copies of 16 bytes bypass the L1
  /// cache, which may contain data that other blocks have overwritten, and bypass registers, so that all
  /// copies can be in flight at the same time.
  __device__ void gather(const float* from, int stride, float* to) {
#pragma unroll 8
    for (int i = thread() * kVector; i < rows() * stride; i += threads() * kVector) {
      __pipeline_memcpy_async(to + i, from + i, sizeof(float4));
    }
    wait_for_copies();
  }
  __device__ void gather(const float* from, int i) { gather(from, stride(i), floats(plan().gathered)); }
  __device__ Rows<float> gathered(int i) const { return {floats(plan().gathered), stride(i)}; }

  /// Loads the columns of layer i's weights that read own values i. Four columns of a row are loaded together
  /// if they are aligned, and all loads of a thread are in flight at the same time, because every step waits
  /// for them.
  __device__ void load_outgoing_weights(int i) {
    const int own = own_columns(i);
    const int width = plan().widths[i];
    const bool packed = own % kVector == 0 && plan().columns[i] % kVector == 0 && in_packs(i);
    const float* from = run_.parameters + weight_at(i, 0, first_column(i));
    for (int j = 0; j < own; j += packed ? kVector : 1) {
      float* to = outgoing_weights(i) + j * stride(i + 1);
      if (packed) {
        load_column(
            i + 1, [&](int m) { return __ldcg(reinterpret_cast<const float4*>(from + m * width + j)); },
            [&](int m, float4 w) {
              to[m] = w.x;
              to[stride(i + 1) + m] = w.y;
              to[2 * stride(i + 1) + m] = w.z;
              to[3 * stride(i + 1) + m] = w.w;
            });
      } else {
        load_column(
            i + 1, [&](int m) { return __ldcg(from + m * width + j); }, [&](int m, float w) { to[m] = w; });
      }
    }
  }

  /// Without hidden layers, the block's own values are pixels.
  __device__ void own_pixels() {
    const int own = own_columns(0);
    for (int i = thread(); i < rows() * own; i += threads()) {
      const int n = i / own;
      const int j = i % own;
      values(0)[n * own_stride(0) + j] =
          static_cast<float>(pixels()[n * pixel_stride() + first_column(0) + j]) * kPixelScale;
    }
  }

  const FusedRun& run_;

 private:
  static constexpr int kPiece = 16;  // bytes of the widest copy
  static constexpr int kLine = 128;  // bytes of a cache line

  /// Calls work(row, look_up(row)) for each row of the batch, one warp per row: the lanes look up 32 rows at
  /// a time, because each look-up waits for memory.
  template <class LookUp, class Work>
  __device__ void for_each_row(const LookUp& look_up, const Work& work) const {
    const int warps = threads() / kWarp;
    for (int start = thread() / kWarp; start < rows(); start += warps * kWarp) {
      const auto found = look_up(min(start + thread() % kWarp * warps, rows() - 1));
#pragma unroll 4
      for (int n = 0; n < kWarp; ++n) {
        const int row = start + n * warps;
        if (row >= rows()) break;
        work(row, __shfl_sync(kWholeWarp, found, n));
      }
    }
  }

  /// Calls store(m, load(m)) for each of the values i, with all threads of the block; in each round, a thread
  /// issues all loads before the first store.
  template <class Load, class Store>
  __device__ void load_column(int i, const Load& load, const Store& store) {
    constexpr int kRound = 4;
    const int width = plan().widths[i];
    for (int first = thread(); first < width; first += kRound * threads()) {
      decltype(load(0)) loaded[kRound];
#pragma unroll
      for (int n = 0; n < kRound; ++n) loaded[n] = load(min(first + n * threads(), width - 1));
#pragma unroll
      for (int n = 0; n < kRound; ++n) {
        if (first + n * threads() < width) store(first + n * threads(), loaded[n]);
      }
    }
  }

  __device__ static void wait_for_copies() {
    __pipeline_commit();
    __pipeline_wait_prior(0);
  }

  unsigned char* shared_;
};

}  // namespace warpfit::cuda
