// A block's own columns of hidden values and of their gradients, one layer at a time.
#pragma once

#include "cuda/fused/loss_rows.cuh"

namespace warpfit::cuda {

class Passes : protected LossRows {
 protected:
  using LossRows::LossRows;

  /// Own values i from all values i - 1.
  __device__ void forward_layer(int i) {
    const float* b = biases(i - 1);
    float* own = values(i);
    float* all = i < top() ? run_.exchange.values[i] + first_column(i) : nullptr;
    const float scale = i == 1 ? kPixelScale : 1.0F;
    const auto finish = [&](int n, int j, float sum) {
      const float z = sum * scale + b[j];
      const float y = z < 0.0F ? 0.0F : z;  // a NaN stays one
      own[n * own_stride(i) + j] = y;
      if (all != nullptr) all[n * stride(i) + j] = y;
    };
    const Rows<float> w{weights(i - 1), stride(i - 1)};
    if (i == 1) {
      products(Rows<std::uint8_t>{pixels(), pixel_stride()}, w, rows_, own_columns(i), stride(0),
               floats(plan_.partial), finish);
    } else {
      gather_products(run_.exchange.values[i - 1], i - 1, w, own_columns(i), finish);
    }
  }

  /// Own gradients of values i from all those of values i + 1.
  __device__ void backward_layer(int i) {
    const float* y = values(i);
    float* own = gradients();
    float* all = i > 1 ? run_.exchange.gradients[i] + first_column(i) : nullptr;
    const auto finish = [&](int n, int j, float sum) {
      const float d = y[n * own_stride(i) + j] > 0.0F ? sum : 0.0F;
      own[n * own_stride(i) + j] = d;
      if (all != nullptr) all[n * stride(i) + j] = d;
    };
    const Rows<float> w{weights_behind(i), stride(i + 1)};
    if (i == top()) {
      products(Rows<float>{floats(plan_.dlogits), stride(plan_.layers)}, w, rows_, own_columns(i),
               stride(i + 1), floats(plan_.partial), finish);
    } else {
      gather_products(run_.exchange.gradients[i + 1], i + 1, w, own_columns(i), finish);
    }
  }
};

}  // namespace warpfit::cuda
