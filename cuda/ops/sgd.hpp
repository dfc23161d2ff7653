// Plain stochastic gradient descent on a flat buffer. CPU counterpart: host/cpu/sgd.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// parameters -= rate * gradients; equal sizes; `rate` is read on the device.
void sgd_update(Vector parameters, ConstVector gradients, const float* rate, cudaStream_t stream);

}  // namespace warpfit::cuda
