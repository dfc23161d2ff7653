// Softmax cross-entropy: loss, hits and logit gradient of a batch in one pass. Twin:
// host/cpu/softmax_cross_entropy.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/backend.hpp"

namespace warpfit::cuda {

/// What a row leaves for the sum over the batch.
struct RowResult {
  float loss;
  int hit;
};

/// As Backend::softmax_cross_entropy. Scratch: `rows` of at least N, `arrived`, which is 0 and comes back as
/// 0.
void softmax_cross_entropy(ConstMatrix logits, ConstLabels labels, Matrix dlogits, Metrics* metrics,
                           RowResult* rows, unsigned* arrived, cudaStream_t stream);

}  // namespace warpfit::cuda
