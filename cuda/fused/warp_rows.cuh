// For plans known at compile time, each warp multiplies rows of its own, which it loads itself to a separate
// part of the gathered values.
#pragma once

#include "cuda/device/bulk_copy.cuh"
#include "cuda/fused/block_memory.cuh"

namespace warpfit::cuda {

template <FusedCode kCode>
class WarpRows : protected BlockMemory<kCode> {
 protected:
  using Memory = BlockMemory<kCode>;
  using Memory::Memory, Memory::run_, Memory::plan, Memory::thread, Memory::memory, Memory::floats,
      Memory::stride, Memory::pixel_stride, Memory::sample_of;

  static_assert(kTutorialPlan.rows == kTutorialPlan.threads / kWarp * kTileRows);
  __device__ static int warp_row() { return thread() / kWarp * kTileRows; }

  /// Row n of the pixels loaded by begin_pixels().
  __device__ std::uint8_t* loaded_pixels(int n) const {
    const int first = n / kTileRows * kTileRows;
    return reinterpret_cast<std::uint8_t*>(floats(plan().gathered) + first * stride(1)) +
           (n - first) * pixel_stride();
  }

  /// To be called once, after load_parameters() and a barrier.
  __device__ void prepare_copies() {
    copies_ = WarpCopies(reinterpret_cast<unsigned long long*>(memory(plan().copies)) + thread() / kWarp);
  }
  /// Begins to load the warp's rows of a batch's pixels.
  __device__ void begin_pixels(std::int64_t first) {
    const std::uint8_t* from = run_.batches.samples.pixels;
    copies_.begin(
        kTileRows, static_cast<unsigned>(plan().widths[0]),
        [&](int row) { return loaded_pixels(warp_row() + row); },
        [&](int row) { return from + sample_of(first + warp_row() + row) * plan().widths[0]; });
  }
  /// Begins to load the warp's rows of a matrix with the columns of all blocks: values or gradients i.
  __device__ void begin_gather(const float* from, int i) {
    copies_.begin(
        kTileRows, static_cast<unsigned>(stride(i) * sizeof(float)),
        [&](int row) { return floats(plan().gathered) + (warp_row() + row) * stride(i); },
        [&](int row) { return from + (warp_row() + row) * stride(i); });
  }
  /// Waits for the load that was begun last.
  __device__ void wait_for_rows() { copies_.wait(); }

  /// Moves the warp's pixels to other memory, so that the gathered values do not overwrite them before the
  /// first layer's update.
  __device__ void keep_pixels() {
    const auto* from = reinterpret_cast<const uint4*>(loaded_pixels(warp_row()));
    auto* to = reinterpret_cast<uint4*>(memory(plan().pixels) + warp_row() * pixel_stride());
    constexpr int kPieces = kTileRows * kTutorialPlan.widths[0] / int{sizeof(uint4)};
#pragma unroll 4
    for (int i = thread() % kWarp; i < kPieces; i += kWarp) to[i] = from[i];
  }

 private:
  WarpCopies copies_;
};

}  // namespace warpfit::cuda
