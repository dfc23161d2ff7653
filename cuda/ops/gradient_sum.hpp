// Gradients of several batches. Twin: host/cpu/gradient_sum.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// As Backend::add_gradients.
void add_gradients(float share, ConstVector gradients, Vector sum, cudaStream_t stream);

/// As Backend::clear.
void clear(Vector values, cudaStream_t stream);

}  // namespace warpfit::cuda
