// Accumulation of gradients over several batches. CUDA counterpart: cuda/ops/gradient_sum.
#pragma once

#include "host/backend/views.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// See Backend::add_scaled.
void add_scaled(ThreadPool& pool, float share, ConstVector values, Vector sum);

/// See Backend::clear.
void clear(ThreadPool& pool, Vector values);

}  // namespace warpfit::cpu
