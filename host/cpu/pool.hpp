// Pooling of images.
#pragma once

#include <cstdint>
#include <span>

#include "host/backend/operation.hpp"
#include "host/backend/views.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// y, and for max pooling the position in its window of each maximum, the first of equal ones.
void pool_forward(ThreadPool& pool, const PoolOperation& operation, ConstMatrix x, Matrix y,
                  std::span<std::uint16_t> positions);

/// dx: each value has the gradients of the windows that it is the maximum of, or its share of those that it
/// is in, added in the order of the windows.
void pool_backward(ThreadPool& pool, const PoolOperation& operation, ConstMatrix dy,
                   std::span<const std::uint16_t> positions, Matrix dx);

}  // namespace warpfit::cpu
