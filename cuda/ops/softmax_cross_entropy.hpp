// Softmax cross-entropy: the loss, the number of correct predictions and the gradient of the logits of a
// batch in one pass. CPU counterpart: host/cpu/softmax_cross_entropy.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/backend.hpp"
#include "host/backend/batch_metrics.hpp"

namespace warpfit::cuda {

/// See LossOp::add. `class_weights`: the class weights of the loss, in device memory; null if it has none.
/// Scratch memory: `rows` of at least N, and `arrived`, which is 0 before and after the call. `divisor`:
/// BatchRun::loss_divisor, in device memory; null for 0.
void softmax_cross_entropy(const Loss& loss, const float* class_weights, ConstMatrix logits,
                           ConstLabels labels, Matrix dlogits, Metrics* metrics, RowResult* rows,
                           unsigned* arrived, const double* divisor, cudaStream_t stream);

}  // namespace warpfit::cuda
