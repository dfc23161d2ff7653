// Sums of two values, for residual blocks. CUDA counterpart: cuda/ops/add.
#pragma once

#include "host/backend/activation.hpp"
#include "host/backend/views.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// z = activation(x + y), with ReLU or no activation; equal sizes. z may be x or y.
void add(ThreadPool& pool, ConstVector x, ConstVector y, ActivationKind activation, Vector z);

}  // namespace warpfit::cpu
