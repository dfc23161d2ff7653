// Activations as separate passes. CPU counterpart: host/cpu/activation.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/activation.hpp"
#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// y = activation(x); equal shapes.
void activation_forward(const Activation& activation, ConstMatrix x, Matrix y, cudaStream_t stream);

/// dx = dy * activation'(x); equal shapes.
void activation_backward(const Activation& activation, ConstMatrix x, ConstMatrix dy, Matrix dx,
                         cudaStream_t stream);

}  // namespace warpfit::cuda
