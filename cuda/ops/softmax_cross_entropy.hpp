// Softmax cross-entropy: loss, hits and logit gradient of a batch in one pass. Twin:
// host/cpu/softmax_cross_entropy.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/backend.hpp"
#include "host/backend/batch_metrics.hpp"

namespace warpfit::cuda {

/// As LossOp::add. `class_weights`: the loss's, in device memory; null if it has none. Scratch: `rows`
/// of at least N, `arrived`, which is 0 and comes back as 0.
void softmax_cross_entropy(const Loss& loss, const float* class_weights, ConstMatrix logits,
                           ConstLabels labels, Matrix dlogits, Metrics* metrics, RowResult* rows,
                           unsigned* arrived, cudaStream_t stream);

}  // namespace warpfit::cuda
