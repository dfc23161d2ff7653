// Softmax cross-entropy: the loss, the number of correct predictions and the gradient of the logits in one
// pass over the rows of a batch. CUDA counterpart: cuda/ops/softmax_cross_entropy.
#pragma once

#include "host/backend/backend.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// See LossOp::add. `row_losses`: scratch memory for at least N values. `divisor`: see
/// BatchRun::loss_divisor.
void softmax_cross_entropy(ThreadPool& pool, ConstMatrix logits, ConstLabels labels, const Loss& loss,
                           Matrix dlogits, Vector row_losses, Metrics& metrics, double divisor = 0);

}  // namespace warpfit::cpu
