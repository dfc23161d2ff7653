// Transposition of each sample of a batch. CPU counterpart: host/cpu/transpose.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// y (N, columns * rows) = x (N, rows * columns), where each row of both is a matrix: y[j, i] = x[i, j].
void transpose(std::int64_t rows, std::int64_t columns, ConstMatrix x, Matrix y, cudaStream_t stream);

/// w -= *rate * dw, where dw is transposed as x above: with one pass over memory instead of a transposition
/// and an update.
void transposed_sgd_update(std::int64_t rows, std::int64_t columns, ConstMatrix dw, const float* rate,
                           Matrix w, cudaStream_t stream);

}  // namespace warpfit::cuda
