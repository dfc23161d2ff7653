// Converts CUDA status codes to exceptions.
#pragma once

#include <cuda_runtime_api.h>

#include <string_view>

namespace warpfit {

/// Errors: OutOfMemory or DeviceError, with the operation (`doing`) and CUDA's description of the error.
void check(cudaError_t status, std::string_view doing);

}  // namespace warpfit
