// Pooling of images. CUDA counterpart: cuda/ops/pool.
#pragma once

#include <cstdint>
#include <span>

#include "host/backend/operation.hpp"
#include "host/backend/views.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// Computes y; for max pooling also the index in its sample's x of each maximum, the first one on ties, or -1
/// if ReLU makes the maximum 0.
void pool_forward(ThreadPool& pool, const PoolOperation& operation, ConstMatrix x, Matrix y,
                  std::span<std::int32_t> indices);

/// dx of max pooling: the sum, in the order of the windows, of the gradients of the windows in which a value
/// is the maximum.
void max_pool_backward(ThreadPool& pool, ConstMatrix dy, std::span<const std::int32_t> indices, Matrix dx);

/// dx of average pooling: the sum of a value's shares of the gradients of all windows that contain it.
void avg_pool_backward(ThreadPool& pool, const PoolOperation& operation, ConstMatrix dy, Matrix dx);

}  // namespace warpfit::cpu
