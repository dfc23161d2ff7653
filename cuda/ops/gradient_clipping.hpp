// Gradient clipping. CPU counterpart: host/cpu/gradient_clipping.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/gradient_norm.hpp"
#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// See Backend::clip_gradient_norm.
void clip_gradient_norm(float max_norm, Vector gradients, GradientNorm* norm, cudaStream_t stream);

/// See Backend::clip_gradient_value.
void clip_gradient_value(float limit, Vector gradients, cudaStream_t stream);

}  // namespace warpfit::cuda
