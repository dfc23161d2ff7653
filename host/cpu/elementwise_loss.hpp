// Element-wise losses against one-hot labels. CUDA counterpart: cuda/ops/elementwise_loss.
#pragma once

#include "host/backend/backend.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// See LossOp::add; for losses other than cross-entropy. `row_losses`: scratch memory for at least N values.
/// `divisor`: see BatchRun::loss_divisor.
void elementwise_loss(ThreadPool& pool, const Loss& loss, ConstMatrix outputs, ConstLabels labels,
                      Matrix doutputs, Vector row_losses, Metrics& metrics, double divisor = 0);

}  // namespace warpfit::cpu
