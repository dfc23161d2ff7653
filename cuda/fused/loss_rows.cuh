// From the last hidden values to the loss: each block's terms of all logits, and the loss of the rows that a
// block serves.
#pragma once

#include "cuda/fused/block_memory.cuh"
#include "cuda/ops/softmax_cross_entropy_row.cuh"

namespace warpfit::cuda {

class LossRows : protected BlockMemory {
 protected:
  using BlockMemory::BlockMemory;

  /// What the own values contribute to the logits of each row: part_logits[row][block] (classes). The blocks
  /// that compute the loss then read a few kilobytes in one trip, instead of values and weights in two.
  __device__ void add_to_logits() {
    const int own = own_columns(top());
    if (own == 0) return;
    const int classes = plan_.widths[plan_.layers];
    const int class_stride = stride(plan_.layers);
    float* to = run_.exchange.part_logits + blockIdx.x * class_stride;
    for (int n = thread() / kWarp; n < rows_; n += threads() / kWarp) {
      const float* x = values(top()) + n * own_stride(top());
      for (int m = thread() % kWarp; m < classes; m += kWarp) {
        float sum = 0;
        for (int j = 0; j < own; ++j) sum += x[j] * weights_behind(top())[j * class_stride + m];
        to[n * plan_.owners * class_stride + m] = sum;
      }
    }
  }

  /// Logits, loss and gradient of rows blockIdx.x, blockIdx.x + gridDim.x, ...
  __device__ void serve_rows(std::int64_t first, int first_label) {
    const int classes = plan_.widths[plan_.layers];
    const int class_stride = stride(plan_.layers);
    const int warps = threads() / kWarp;
    const int lane = thread() % kWarp;
    float* sums = floats(plan_.logits);  // (warps, classes)
    for (int row = static_cast<int>(blockIdx.x); row < rows_; row += static_cast<int>(gridDim.x)) {
      for (int m = lane; m < classes; m += kWarp) {
        const float b = thread() < kWarp ? __ldcg(run_.parameters + run_.biases[top()] + m) : 0.0F;
        const float* parts = run_.exchange.part_logits + row * plan_.owners * class_stride + m;
        sums[thread() / kWarp * class_stride + m] = b + sum_of_parts(parts, class_stride);
      }
      __syncthreads();
      if (thread() < kWarp) {
        for (int m = lane; m < classes; m += kWarp) {
          for (int warp = 1; warp < warps; ++warp) sums[m] += sums[warp * class_stride + m];
        }
        __syncwarp();
        const int label = row == static_cast<int>(blockIdx.x) ? first_label : label_of(first + row);
        float* dz = run_.trains ? run_.exchange.dlogits + row * class_stride : nullptr;
        const RowResult result =
            softmax_cross_entropy_row<kWarp>(sums, label, run_.label_smoothing, rows_, classes, dz);
        if (thread() == 0) run_.exchange.results[row] = result;
      }
      __syncthreads();
    }
  }

 private:
  /// A warp's share of the parts, which begin `stride` floats apart. A thread begins all of a round's loads
  /// before it adds; left to unroll this loop, nvcc made a trip to L2 of each load.
  __device__ float sum_of_parts(const float* parts, int stride) const {
    constexpr int kRound = 16;
    const int warps = threads() / kWarp;
    float sum = 0;
    for (int first = thread() / kWarp; first < plan_.owners; first += kRound * warps) {
      float part[kRound];
#pragma unroll
      for (int n = 0; n < kRound; ++n) {
        const int block = first + n * warps;
        part[n] = block < plan_.owners ? __ldcg(parts + block * stride) : 0.0F;
      }
#pragma unroll
      for (int n = 0; n < kRound; ++n) sum += part[n];
    }
    return sum;
  }
};

}  // namespace warpfit::cuda
