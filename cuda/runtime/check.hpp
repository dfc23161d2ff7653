// Status codes of CUDA and cuBLAS to exceptions.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime_api.h>

#include <string_view>

namespace warpfit {

/// Errors: OutOfMemory or DeviceError naming what was being done and CUDA's reason.
void check(cudaError_t status, std::string_view doing);
void check(cublasStatus_t status, std::string_view doing);

}  // namespace warpfit
