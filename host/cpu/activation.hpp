// Activations as separate passes. CUDA counterpart: cuda/ops/activation.
#pragma once

#include "host/backend/activation.hpp"
#include "host/backend/views.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// y = activation(x); equal shapes.
void activation_forward(ThreadPool& pool, const Activation& activation, ConstMatrix x, Matrix y);

/// dx = dy * activation'(x); equal shapes.
void activation_backward(ThreadPool& pool, const Activation& activation, ConstMatrix x, ConstMatrix dy,
                         Matrix dx);

}  // namespace warpfit::cpu
