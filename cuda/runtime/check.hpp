// Status codes of CUDA to exceptions.
#pragma once

#include <cuda_runtime_api.h>

#include <string_view>

namespace warpfit {

/// Errors: OutOfMemory or DeviceError naming what was being done and CUDA's reason.
void check(cudaError_t status, std::string_view doing);

}  // namespace warpfit
