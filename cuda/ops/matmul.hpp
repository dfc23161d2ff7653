// The matrix products of a linear layer in full fp32, each in one launch that also applies the bias, ReLU or
// its mask, bias gradients or plain SGD. For small batches, where launch overhead and idle multiprocessors
// cost most. Supports all shapes of up to 2^20 rows and outputs. Shapes: N rows, K inputs, M outputs. CPU
// counterpart: host/cpu/matmul.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/backend.hpp"

namespace warpfit::cuda {

/// y (N, M) = activation(x (N, K) w' + b); w (M, K), b (M).
void matmul_forward(ConstMatrix x, ConstMatrix w, ConstVector b, ActivationKind activation, Matrix y,
                    cudaStream_t stream);

/// dx (N, K) = dy (N, M) w (M, K), and 0 where the output x of ReLU is not above 0.
void matmul_backward_input(ConstMatrix dy, ConstMatrix w, ConstMatrix x, ActivationKind activation, Matrix dx,
                           cudaStream_t stream);

/// dw (M, K) = dy' x and db (M) = the sum of dy over its rows.
void matmul_backward_weights(ConstMatrix x, ConstMatrix dy, Matrix dw, Vector db, cudaStream_t stream);

/// w (M, K) -= rate * dy' x and b (M) -= rate * (the sum of dy over its rows); `rate` is read on the device.
void matmul_backward_sgd(ConstMatrix x, ConstMatrix dy, const float* rate, Matrix w, Vector b,
                         cudaStream_t stream);

}  // namespace warpfit::cuda
