// Losses of each output by itself, against one-hot labels. Twin: cuda/ops/elementwise_loss.
#pragma once

#include "host/backend/backend.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// As LossOp::add, for a loss that is no cross-entropy. `row_losses` is scratch of at least N values.
void elementwise_loss(ThreadPool& pool, const Loss& loss, ConstMatrix outputs, ConstLabels labels,
                      Matrix doutputs, Vector row_losses, Metrics& metrics);

}  // namespace warpfit::cpu
