// Averages of parameters. CUDA counterpart: cuda/ops/averaging.
#pragma once

#include "host/backend/averaging.hpp"
#include "host/backend/views.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// See Backend::average.
void average(ThreadPool& pool, double decay, ConstVector parameters, Vector averages,
             AverageProgress& progress);

/// See Backend::swap.
void swap(ThreadPool& pool, Vector a, Vector b);

}  // namespace warpfit::cpu
