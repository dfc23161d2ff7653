// Accumulation of gradients over several batches. CUDA counterpart: cuda/ops/gradient_sum.
#pragma once

#include "host/backend/views.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// See Backend::add_gradients.
void add_gradients(ThreadPool& pool, float share, ConstVector gradients, Vector sum);

/// See Backend::clear.
void clear(ThreadPool& pool, Vector values);

}  // namespace warpfit::cpu
