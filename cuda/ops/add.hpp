// Sums of two values, for residual blocks. CPU counterpart: host/cpu/add.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/activation.hpp"
#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// z = activation(x + y), with ReLU or no activation; equal sizes. z may be x or y.
void add(ConstVector x, ConstVector y, ActivationKind activation, Vector z, cudaStream_t stream);

}  // namespace warpfit::cuda
