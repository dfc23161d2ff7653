// Accumulation of gradients over several batches. CPU counterpart: host/cpu/gradient_sum.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// See Backend::add_scaled.
void add_scaled(float share, ConstVector values, Vector sum, cudaStream_t stream);

/// See Backend::clear.
void clear(Vector values, cudaStream_t stream);

}  // namespace warpfit::cuda
