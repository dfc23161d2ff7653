// Dropout; forward and backward are the same operation. CPU counterpart: host/cpu/dropout.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/dropout.hpp"
#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// values (N, M) *= 0 or 1 / (1 - p), according to the mask of the step, whose number is read on the device.
void dropout(const DropoutMask& dropout, const std::int64_t* step, Matrix values, cudaStream_t stream);

}  // namespace warpfit::cuda
