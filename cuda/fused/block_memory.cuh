// A block's part of the network in its shared memory (plan.hpp): where things are, and how they get there.
#pragma once

#include "cuda/device/prefetch.cuh"
#include "cuda/fused/fused_run.hpp"
#include "cuda/fused/products.cuh"

namespace warpfit::cuda {

/// Pixels stay whole numbers in sums; the division is made once a sum.
constexpr float kPixelScale = 1.0F / 255.0F;

/// Indices i are of values (0 the samples, `layers` the logits), but where they are said to be of layers.
class BlockMemory {
 protected:
  __device__ BlockMemory(const FusedRun& run, unsigned char* shared)
      : run_(run), plan_(run.plan), rows_(static_cast<int>(run.batches.rows)), shared_(shared) {}

  __device__ static int thread() { return static_cast<int>(threadIdx.x); }
  __device__ static int threads() { return static_cast<int>(blockDim.x); }
  __device__ int top() const { return plan_.layers - 1; }  // the last layer, and the values before it

  __device__ unsigned char* memory(int place) const { return shared_ + place * kPlaceBytes; }
  __device__ float* floats(int place) const { return reinterpret_cast<float*>(memory(place)); }
  __device__ float* weights(int layer) const { return floats(plan_.weights[layer]); }
  __device__ float* weights_behind(int values) const { return floats(plan_.weights_behind[values]); }
  __device__ float* biases(int layer) const { return floats(plan_.biases[layer]); }
  __device__ float* values(int i) const { return floats(plan_.values[i]); }
  __device__ float* gradients() const { return floats(plan_.gradients); }
  __device__ void* factors() const { return memory(plan_.factors); }
  __device__ const std::uint8_t* pixels() const { return memory(plan_.pixels); }
  __device__ int pixel_stride() const { return FusedPlan::padded(plan_.widths[0], 16); }
  __device__ int own_stride(int i) const { return FusedPlan::padded(plan_.columns[i]); }
  __device__ int stride(int i) const { return FusedPlan::padded(plan_.widths[i]); }

  __device__ int first_column(int i) const { return static_cast<int>(blockIdx.x) * plan_.columns[i]; }
  __device__ int own_columns(int i) const {
    return max(0, min(plan_.columns[i], plan_.widths[i] - first_column(i)));
  }
  __device__ std::int64_t weight_at(int layer, int output, int input) const {
    return run_.weights[layer] + std::int64_t{output} * plan_.widths[layer] + input;
  }
  __device__ std::int64_t sample_of(std::int64_t visit) const {
    const SampleView& samples = run_.batches.samples;
    return samples.order == nullptr ? visit : samples.order[visit];
  }

  __device__ int label_of(std::int64_t visit) const { return run_.batches.samples.labels[sample_of(visit)]; }

  // All threads call these; what they load is there behind the next barrier.

  __device__ void load_parameters() {
    for (int i = thread(); i < plan_.shared_bytes / int{sizeof(float)}; i += threads()) floats(0)[i] = 0;
    __syncthreads();
    for (int layer = 0; layer < top(); ++layer) {
      const int width = plan_.widths[layer];
      const int own = own_columns(layer + 1);
      for (int i = thread(); i < own * width; i += threads()) {
        weights(layer)[i / width * FusedPlan::padded(width) + i % width] =
            run_.parameters[weight_at(layer, first_column(layer + 1) + i / width, i % width)];
      }
      for (int j = thread(); j < own; j += threads()) {
        biases(layer)[j] = run_.parameters[run_.biases[layer] + first_column(layer + 1) + j];
      }
    }
    load_weights_behind(top());
  }

  __device__ void load_pixels(std::int64_t first) {
    const SampleView& samples = run_.batches.samples;
    const int width = plan_.widths[0];
    if (width % kPiece == 0 && reinterpret_cast<std::uintptr_t>(samples.pixels) % kPiece == 0) {
      for_each_row([&](int row) { return sample_of(first + row); },
                   [&](int row, std::int64_t sample) {
                     const std::uint8_t* from = samples.pixels + sample * width;
                     std::uint8_t* to = memory(plan_.pixels) + row * width;
                     for (int at = thread() % kWarp * kPiece; at < width; at += kWarp * kPiece) {
                       __pipeline_memcpy_async(to + at, from + at, kPiece);
                     }
                   });
      wait_for_copies();
    } else {
      for (int i = thread(); i < rows_ * width; i += threads()) {
        memory(plan_.pixels)[i / width * pixel_stride() + i % width] =
            samples.pixels[sample_of(first + i / width) * width + i % width];
      }
    }
  }

  /// Brings the samples of a batch into the L2 cache; a row is a block's, from the last one on: the first
  /// have other work.
  __device__ void prefetch_samples(std::int64_t first) const {
    const SampleView& samples = run_.batches.samples;
    const int blocks = static_cast<int>(gridDim.x);
    for (int row = blocks - 1 - static_cast<int>(blockIdx.x); row < rows_; row += blocks) {
      const std::int64_t sample = sample_of(first + row);
      const std::uint8_t* from = samples.pixels + sample * plan_.widths[0];
      for (int at = thread() * kLine; at < plan_.widths[0] + kLine; at += threads() * kLine)
        prefetch_l2(from + at);
      if (thread() == 0) prefetch_l2(samples.labels + sample);
    }
  }

  /// A matrix of all blocks' columns, paddings included. Copies of 16 bytes go past the multiprocessor's own
  /// cache, which may hold what others have overwritten, and past registers, so that all are under way at
  /// once.
  __device__ void gather(const float* from, int stride, float* to) {
#pragma unroll 8
    for (int i = thread() * kVector; i < rows_ * stride; i += threads() * kVector) {
      __pipeline_memcpy_async(to + i, from + i, sizeof(float4));
    }
    wait_for_copies();
  }
  /// All of values or gradients i, and products() of them with w, whose rows are as long.
  template <class Finish>
  __device__ void gather_products(const float* from, int i, Rows<float> w, int columns,
                                  const Finish& finish) {
    if (columns > 0 && columns <= kTileColumns && stride(i) > kShallow) {
      tiles(
          rows_, columns, stride(i), floats(plan_.partial),
          [&](const TilePart& part) {
            return gathered_tile_sum(part, from, floats(plan_.gathered), stride(i), w);
          },
          finish);
    } else {  // several tiles read a row
      gather(from, i);
      __syncthreads();
      products(gathered(i), w, rows_, columns, stride(i), floats(plan_.partial), finish);
    }
  }
  __device__ void gather(const float* from, int i) { gather(from, stride(i), floats(plan_.gathered)); }
  __device__ Rows<float> gathered(int i) const { return {floats(plan_.gathered), stride(i)}; }

  /// The columns of layer i's weights that read own values i. Four columns of a row are one access where they
  /// are aligned, and all of a thread's accesses are under way at once: this is on the way of every step.
  __device__ void load_weights_behind(int i) {
    const int own = own_columns(i);
    const int width = plan_.widths[i];
    const bool in_packs = own % kVector == 0 && plan_.columns[i] % kVector == 0 && width % kVector == 0 &&
                          run_.weights[i] % kVector == 0;
    const float* from = run_.parameters + weight_at(i, 0, first_column(i));
    for (int j = 0; j < own; j += in_packs ? kVector : 1) {
      float* to = weights_behind(i) + j * stride(i + 1);
      if (in_packs) {
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

  /// Without hidden layers the block's own values are pixels.
  __device__ void own_pixels() {
    const int own = own_columns(0);
    for (int i = thread(); i < rows_ * own; i += threads()) {
      const int n = i / own;
      const int j = i % own;
      values(0)[n * own_stride(0) + j] =
          static_cast<float>(pixels()[n * pixel_stride() + first_column(0) + j]) * kPixelScale;
    }
  }

  const FusedRun& run_;
  const FusedPlan& plan_;
  const int rows_;

 private:
  static constexpr int kPiece = 16;  // bytes of the widest copy
  static constexpr int kLine = 128;  // bytes of a cache line

  /// work(row, look_up(row)) for each row of the batch, by a warp: its lanes look up 32 rows at once, because
  /// each look-up is a trip to memory.
  template <class LookUp, class Work>
  __device__ void for_each_row(const LookUp& look_up, const Work& work) const {
    const int warps = threads() / kWarp;
    for (int start = thread() / kWarp; start < rows_; start += warps * kWarp) {
      const auto found = look_up(min(start + thread() % kWarp * warps, rows_ - 1));
#pragma unroll 4
      for (int n = 0; n < kWarp; ++n) {
        const int row = start + n * warps;
        if (row >= rows_) break;
        work(row, __shfl_sync(kWholeWarp, found, n));
      }
    }
  }

  /// store(m, load(m)) for each of the values i, by the block's threads; a thread begins all of a round's
  /// loads before the first store.
  template <class Load, class Store>
  __device__ void load_column(int i, const Load& load, const Store& store) {
    constexpr int kRound = 4;
    const int width = plan_.widths[i];
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
