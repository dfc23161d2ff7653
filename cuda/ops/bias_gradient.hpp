// The gradient of a layer's bias, either alone or together with its SGD update in the same pass. CPU
// counterpart: host/cpu/bias_gradient.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// The number of floats of `scratch` with which the functions below use the whole GPU for many rows; 0 if
/// they do not need it.
std::int64_t bias_gradient_scratch(std::int64_t rows, std::int64_t cols);

/// db (M) = the sum of dy (N, M) over its rows.
void bias_gradient(ConstMatrix dy, Vector db, cudaStream_t stream, Vector scratch = {});

/// b (M) -= rate * the sum of dy (N, M) over its rows; `rate` is read on the device.
void bias_sgd(ConstMatrix dy, const float* rate, Vector b, cudaStream_t stream, Vector scratch = {});

}  // namespace warpfit::cuda
