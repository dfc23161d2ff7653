// Element-wise losses against one-hot labels: the loss, the number of correct predictions and the gradient of
// a batch in one pass. CPU counterpart: host/cpu/elementwise_loss.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/backend.hpp"
#include "host/backend/batch_metrics.hpp"

namespace warpfit::cuda {

/// See LossOp::add; for losses other than cross-entropy. Scratch memory: `rows` of at least N, and `arrived`,
/// which is 0 before and after the call. `divisor`: BatchRun::loss_divisor, in device memory; null for 0.
void elementwise_loss(const Loss& loss, ConstMatrix outputs, ConstLabels labels, Matrix doutputs,
                      Metrics* metrics, RowResult* rows, unsigned* arrived, const double* divisor,
                      cudaStream_t stream);

}  // namespace warpfit::cuda
