// Dropout; forward and backward are the same operation. CUDA counterpart: cuda/ops/dropout.
#pragma once

#include "host/backend/dropout.hpp"
#include "host/backend/views.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// values (N, M) *= 0 or 1 / (1 - p), according to the mask of step `step` from element `first` on.
void dropout(ThreadPool& pool, const DropoutMask& dropout, std::int64_t step, std::int64_t first,
             Matrix values);

}  // namespace warpfit::cpu
