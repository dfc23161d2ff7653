// Mean squared error against one-hot labels: loss, hits and gradient of a batch in one pass. Twin:
// host/cpu/mean_squared_error.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/ops/row_result.hpp"
#include "host/backend/backend.hpp"

namespace warpfit::cuda {

/// As LossOp::add. Scratch: `rows` of at least N, `arrived`, which is 0 and comes back as
/// 0.
void mean_squared_error(ConstMatrix outputs, ConstLabels labels, Matrix doutputs, Metrics* metrics,
                        RowResult* rows, unsigned* arrived, cudaStream_t stream);

}  // namespace warpfit::cuda
