// Pooling of images. CPU counterpart: host/cpu/pool.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "host/backend/operation.hpp"
#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// Computes y; for max pooling also the position of each maximum in its window, the first one on ties, or
/// kNoPosition if ReLU makes the maximum 0. Errors: DeviceError if the batch has 2^31 values or more.
void pool_forward(const PoolOperation& operation, ConstMatrix x, Matrix y, std::uint16_t* positions,
                  cudaStream_t stream);

/// Computes dx: the sum, in the order of the windows, of the gradients of the windows in which a value is the
/// maximum (max pooling) or of its shares of all windows that contain it (average pooling).
void pool_backward(const PoolOperation& operation, ConstMatrix dy, const std::uint16_t* positions, Matrix dx,
                   cudaStream_t stream);

}  // namespace warpfit::cuda
