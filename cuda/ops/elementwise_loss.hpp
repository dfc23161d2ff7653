// Losses of each output by itself, against one-hot labels: loss, hits and gradient of a batch in one pass.
// Twin: host/cpu/elementwise_loss.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/backend.hpp"
#include "host/backend/batch_metrics.hpp"

namespace warpfit::cuda {

/// As LossOp::add, for a loss that is no cross-entropy. Scratch: `rows` of at least N, `arrived`, which is 0
/// and comes back as 0.
void elementwise_loss(const Loss& loss, ConstMatrix outputs, ConstLabels labels, Matrix doutputs,
                      Metrics* metrics, RowResult* rows, unsigned* arrived, cudaStream_t stream);

}  // namespace warpfit::cuda
