// The optimizers over flat buffers, one pass an update. Twin: cuda/ops/optimizer.
#pragma once

#include "host/backend/optimizer.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// As Backend::optimizer_update.
void optimizer_update(ThreadPool& pool, const Optimizer& optimizer, const OptimizerViews& views, float rate);

}  // namespace warpfit::cpu
