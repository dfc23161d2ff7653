// The optimizers on flat buffers, one pass per update. CUDA counterpart: cuda/ops/optimizer.
#pragma once

#include "host/backend/optimizer.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// See Backend::optimizer_update.
void optimizer_update(ThreadPool& pool, const Optimizer& optimizer, const OptimizerViews& views, float rate);

}  // namespace warpfit::cpu
