// The products of a linear layer in true fp32, each in one launch with what belongs to it: bias, ReLU and its
// mask, bias gradients, plain SGD. For small batches, where launches and idle processors cost most. Every
// shape of up to 2^20 rows and outputs is taken. Shapes: N rows, K inputs, M outputs. Twin: host/cpu/matmul.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/backend.hpp"

namespace warpfit::cuda {

/// y (N, M) = activation(x (N, K) w' + b); w (M, K), b (M).
void matmul_forward(ConstMatrix x, ConstMatrix w, ConstVector b, ActivationKind activation, Matrix y,
                    cudaStream_t stream);

/// dx (N, K) = dy (N, M) w (M, K), and 0 where ReLU's output x is not above 0.
void matmul_backward_input(ConstMatrix dy, ConstMatrix w, ConstMatrix x, ActivationKind activation, Matrix dx,
                           cudaStream_t stream);

/// dw (M, K) = dy' x and db (M) = the sum of dy over its rows.
void matmul_backward_weights(ConstMatrix x, ConstMatrix dy, Matrix dw, Vector db, cudaStream_t stream);

/// w (M, K) -= rate * dy' x and b (M) -= rate * (the sum of dy over its rows); `rate` is read on the device.
void matmul_backward_sgd(ConstMatrix x, ConstMatrix dy, const float* rate, Matrix w, Vector b,
                         cudaStream_t stream);

}  // namespace warpfit::cuda
