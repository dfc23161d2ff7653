// Computes a block's own columns of the hidden values and of their gradients, one layer at a time.
#pragma once

#include "cuda/fused/first_layer.cuh"

namespace warpfit::cuda {

template <FusedCode kCode>
class Passes : protected FirstLayer<kCode> {
 protected:
  using Memory = FirstLayer<kCode>;
  using Memory::Memory, Memory::run_, Memory::plan, Memory::rows, Memory::thread, Memory::threads,
      Memory::top, Memory::floats, Memory::weights, Memory::outgoing_weights, Memory::biases, Memory::values,
      Memory::gradients, Memory::pixels, Memory::pixel_stride, Memory::own_stride, Memory::stride,
      Memory::first_column, Memory::own_columns, Memory::gather, Memory::gathered, Memory::warp_row,
      Memory::pixel_products, Memory::begin_gather, Memory::wait_for_rows, Memory::kKnown;

  /// Computes own values i from all values i - 1.
  __device__ void forward_layer(int i) {
    const float* b = biases(i - 1);
    float* own = values(i);
    float* all = i < top() ? run_.exchange.values[i] + first_column(i) : nullptr;
    const float scale = i == 1 ? kPixelScale : 1.0F;
    const auto finish = [&](int n, int j, float sum) {
      const float z = sum * scale + b[j];
      const float y = z < 0.0F ? 0.0F : z;  // a NaN stays a NaN
      own[n * own_stride(i) + j] = y;
      if (all != nullptr) all[n * stride(i) + j] = y;
    };
    if (kKnown && i == 1) {
      if constexpr (kCode == FusedCode::kTutorialOwner) {
        wait_for_rows();
        __syncthreads();  // a tile has the rows of two warps
        pixel_products(finish);
      }
    } else if (i == 1) {
      own_products(Rows<std::uint8_t>{pixels(), pixel_stride()}, Rows<float>{weights(0), stride(0)}, 1,
                   stride(0), finish);
    } else {
      gather_products(run_.exchange.values[i - 1], i - 1, Rows<float>{weights(i - 1), stride(i - 1)}, i,
                      finish);
    }
  }

  /// Computes own gradients of values i from all gradients of values i + 1.
  __device__ void backward_layer(int i) {
    const float* y = values(i);
    float* own = gradients();
    float* all = i > 1 ? run_.exchange.gradients[i] + first_column(i) : nullptr;
    const auto finish = [&](int n, int j, float sum) {
      const float d = y[n * own_stride(i) + j] > 0.0F ? sum : 0.0F;
      own[n * own_stride(i) + j] = d;
      if (all != nullptr) all[n * stride(i) + j] = d;
    };
    const Rows<float> w{outgoing_weights(i), stride(i + 1)};
    if (i == top()) {
      own_products(Rows<float>{floats(plan().dlogits), stride(plan().layers)}, w, i, stride(i + 1), finish);
    } else {
      gather_products(run_.exchange.gradients[i + 1], i + 1, w, i, finish);
    }
  }

 private:
  /// Calls finish(n, j, sum of x[n][k] w[j][k] over k < depth) for each row and own column of values i.
  template <class T, class Finish>
  __device__ void own_products(Rows<T> x, Rows<float> w, int i, int depth, const Finish& finish) {
    products(threads(), x, w, rows(), own_columns(i), depth, floats(plan().partial), finish);
  }

  /// The same, where x is `all`, the values or gradients of all blocks, at `from`.
  template <class Finish>
  __device__ void gather_products(const float* from, int all, Rows<float> w, int i, const Finish& finish) {
    if constexpr (!kKnown) {
      gather(from, all);
      __syncthreads();
      own_products(gathered(all), w, i, stride(all), finish);
    } else if constexpr (kCode == FusedCode::kTutorialOwner) {
      begin_gather(from, all);
      wait_for_rows();
      constexpr int kHidden = kTutorialPlan.widths[1];
      const int lane = thread() % kWarp;
      const float sum = whole_tile_sum<kHidden>(warp_row(), gathered(all), w);
      finish(warp_row() + lane / kTileColumns, lane % kTileColumns, sum);
    }
  }
};

}  // namespace warpfit::cuda
