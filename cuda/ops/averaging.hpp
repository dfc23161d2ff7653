// Averages of parameters. CPU counterpart: host/cpu/averaging.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/averaging.hpp"
#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// See Backend::average.
void average(double decay, ConstVector parameters, Vector averages, AverageProgress* progress,
             cudaStream_t stream);

/// See Backend::swap.
void swap(Vector a, Vector b, cudaStream_t stream);

}  // namespace warpfit::cuda
