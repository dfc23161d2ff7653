// Bias and ReLU after a matrix product, and ReLU's derivative. CPU counterpart: host/cpu/relu.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/backend.hpp"

namespace warpfit::cuda {

/// y (N, M) = activation(y + b), in place; b (M).
void bias_relu_forward(Matrix y, ConstVector b, ActivationKind activation, cudaStream_t stream);

/// Sets dx to 0 where y, the output of ReLU, is not above 0; equal sizes.
void relu_backward(ConstVector y, Vector dx, cudaStream_t stream);

}  // namespace warpfit::cuda
