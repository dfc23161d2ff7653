// Gradients of several batches. Twin: cuda/ops/gradient_sum.
#pragma once

#include "host/backend/views.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// As Backend::add_gradients.
void add_gradients(ThreadPool& pool, float share, ConstVector gradients, Vector sum);

/// As Backend::clear.
void clear(ThreadPool& pool, Vector values);

}  // namespace warpfit::cpu
