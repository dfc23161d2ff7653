// From the last hidden values to the loss: each block's terms of all logits, and the loss of the rows that
// are assigned to the block.
#pragma once

#include "cuda/fused/warp_rows.cuh"
#include "cuda/ops/softmax_cross_entropy_row.cuh"

namespace warpfit::cuda {

template <FusedCode kCode>
class LossRows : protected WarpRows<kCode> {
 protected:
  using Memory = WarpRows<kCode>;
  using Memory::Memory, Memory::run_, Memory::plan, Memory::rows, Memory::thread, Memory::threads,
      Memory::top, Memory::floats, Memory::outgoing_weights, Memory::values, Memory::own_stride,
      Memory::stride, Memory::own_columns, Memory::label_of;

  /// Computes the contribution of the own values to the logits of each row: part_logits[row][block]
  /// (classes). The blocks that compute the loss then load a few kilobytes in one round trip to memory, where
  /// values and weights would take two.
  __device__ void add_to_logits() {
    const int own = own_columns(top());
    if (own == 0) return;
    const int class_stride = stride(plan().layers);
    const int quads = class_stride / kVector;
    float* to = run_.exchange.part_logits + blockIdx.x * class_stride;
    for (int i = thread(); i < rows() * quads; i += threads()) {
      const int n = i / quads;
      const int m = (i - n * quads) * kVector;
      const float* x = values(top()) + n * own_stride(top());
      float4 sum = {};
      for (int j = 0; j < own; ++j)
        add_product(sum, x[j], four(outgoing_weights(top()) + j * class_stride + m));
      *reinterpret_cast<float4*>(to + n * plan().owners * class_stride + m) = sum;
    }
  }

  /// Computes logits, loss and gradient of rows blockIdx.x, blockIdx.x + gridDim.x, ...
  __device__ void serve_rows(std::int64_t first, int first_label) {
    const int classes = plan().widths[plan().layers];
    const int class_stride = stride(plan().layers);
    const int warps = threads() / kWarp;
    const int lane = thread() % kWarp;
    float* sums = floats(plan().logits);  // (warps, classes)
    for (int row = static_cast<int>(blockIdx.x); row < rows(); row += plan().blocks) {
      for (int m = lane; m < classes; m += kWarp) {
        const float b = thread() < kWarp ? __ldcg(run_.parameters + run_.biases[top()] + m) : 0.0F;
        const float* parts = run_.exchange.part_logits + row * plan().owners * class_stride + m;
        sums[thread() / kWarp * class_stride + m] = b + sum_of_parts(parts, class_stride);
      }
      __syncthreads();
      if (thread() < kWarp) {
        for (int m = lane; m < classes; m += kWarp) {
          float sum = 0;
#pragma unroll 8
          for (int warp = 0; warp < warps; ++warp) sum += sums[warp * class_stride + m];
          sums[m] = sum;
        }
        __syncwarp();
        const int label = row == static_cast<int>(blockIdx.x) ? first_label : label_of(first + row);
        float* dz = run_.trains ? run_.exchange.dlogits + row * class_stride : nullptr;
        const float scale = 1.0F / static_cast<float>(rows());
        const RowResult result =
            softmax_cross_entropy_row<kWarp>(sums, label, run_.label_smoothing, scale, classes, dz);
        if (thread() == 0) run_.exchange.results[row] = result;
      }
      __syncthreads();
    }
  }

 private:
  /// A warp's share of the sum over the parts, which are `step` floats apart. In each round, a thread issues
  /// all loads before it adds; when nvcc unrolled this loop itself, each load waited for the previous one.
  __device__ float sum_of_parts(const float* parts, int step) const {
    constexpr int kRound = 16;
    const int warps = threads() / kWarp;
    float sum = 0;
    for (int first = thread() / kWarp; first < plan().owners; first += kRound * warps) {
      float part[kRound];
#pragma unroll
      for (int n = 0; n < kRound; ++n) {
        const int block = first + n * warps;
        part[n] = block < plan().owners ? __ldcg(parts + block * step) : 0.0F;
      }
#pragma unroll
      for (int n = 0; n < kRound; ++n) sum += part[n];
    }
    return sum;
  }
};

}  // namespace warpfit::cuda
