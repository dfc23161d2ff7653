// Dropout, forward and backward alike. Twin: cuda/ops/dropout.
#pragma once

#include "host/backend/dropout.hpp"
#include "host/backend/views.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// values (N, M) *= 0 or 1 / (1 - p), as the mask says for step number `step`.
void dropout(ThreadPool& pool, const DropoutMask& dropout, std::int64_t step, Matrix values);

}  // namespace warpfit::cpu
