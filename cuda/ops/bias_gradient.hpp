// The gradient of a layer's bias, either alone or together with its SGD update in the same pass. CPU
// counterpart: host/cpu/bias_gradient.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// db (M) = the sum of dy (N, M) over its rows.
void bias_gradient(ConstMatrix dy, Vector db, cudaStream_t stream);

/// b (M) -= rate * the sum of dy (N, M) over its rows; `rate` is read on the device.
void bias_sgd(ConstMatrix dy, const float* rate, Vector b, cudaStream_t stream);

}  // namespace warpfit::cuda
