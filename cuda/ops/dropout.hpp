// Dropout; forward and backward are the same operation. CPU counterpart: host/cpu/dropout.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/position.hpp"
#include "host/backend/dropout.hpp"
#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// values (N, M) *= 0 or 1 / (1 - p), according to the mask of the position's step, from its first row on.
void dropout(const DropoutMask& dropout, const Position* position, Matrix values, cudaStream_t stream);

}  // namespace warpfit::cuda
