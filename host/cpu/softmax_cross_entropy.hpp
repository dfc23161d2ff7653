// Softmax cross-entropy: loss, hits and logit gradient of a batch in one pass over its rows. Twin:
// cuda/ops/softmax_cross_entropy.
#pragma once

#include "host/backend/backend.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// As LossOp::add. `row_losses` is scratch of at least N values.
void softmax_cross_entropy(ThreadPool& pool, ConstMatrix logits, ConstLabels labels, const Loss& loss,
                           Matrix dlogits, Vector row_losses, Metrics& metrics);

}  // namespace warpfit::cpu
