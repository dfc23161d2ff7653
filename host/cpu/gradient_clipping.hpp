// Gradient clipping. CUDA counterpart: cuda/ops/gradient_clipping.
#pragma once

#include "host/backend/gradient_norm.hpp"
#include "host/backend/views.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// See Backend::clip_gradient_norm.
void clip_gradient_norm(ThreadPool& pool, float max_norm, Vector gradients, GradientNorm& norm);

/// See Backend::clip_gradient_value.
void clip_gradient_value(ThreadPool& pool, float limit, Vector gradients);

}  // namespace warpfit::cpu
