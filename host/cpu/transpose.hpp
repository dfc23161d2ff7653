// Transposition of each sample of a batch. CUDA counterpart: cuda/ops/transpose.
#pragma once

#include <cstdint>

#include "host/backend/views.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// y (N, columns * rows) = x (N, rows * columns), where each row of both is a matrix: y[j, i] = x[i, j].
void transpose(ThreadPool& pool, std::int64_t rows, std::int64_t columns, ConstMatrix x, Matrix y);

}  // namespace warpfit::cpu
