// Plain stochastic gradient descent over a flat buffer.
#pragma once

#include "host/backend/views.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// parameters -= rate * gradients; equal sizes.
void sgd_update(ThreadPool& pool, Vector parameters, ConstVector gradients, float rate);

}  // namespace warpfit::cpu
