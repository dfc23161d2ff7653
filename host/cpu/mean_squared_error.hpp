// Mean squared error against one-hot labels. Twin: cuda/ops/mean_squared_error.
#pragma once

#include "host/backend/backend.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// As LossOp::add. `row_losses` is scratch of at least N values.
void mean_squared_error(ThreadPool& pool, ConstMatrix outputs, ConstLabels labels, Matrix doutputs,
                        Vector row_losses, Metrics& metrics);

}  // namespace warpfit::cpu
