// Pooling of images. CPU counterpart: host/cpu/pool.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "host/backend/operation.hpp"
#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// y, and for max pooling the position in its window of each maximum, the first of equal ones.
void pool_forward(const PoolOperation& operation, ConstMatrix x, Matrix y, std::uint16_t* positions,
                  cudaStream_t stream);

/// dx: each value has the gradients of the windows that it is the maximum of, or its share of those that it
/// is in, added in the order of the windows.
void pool_backward(const PoolOperation& operation, ConstMatrix dy, const std::uint16_t* positions, Matrix dx,
                   cudaStream_t stream);

}  // namespace warpfit::cuda
