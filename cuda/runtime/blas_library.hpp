// The functions of cuBLAS, loaded when a matrix product first needs them. The library has hundreds of
// megabytes of kernels and takes from 50 ms to seconds to load, and the fused engine does not need it.
#pragma once

#include <cublas_v2.h>

namespace warpfit {

/// The functions that are called; each member is the function with the same name.
struct BlasLibrary {
  decltype(&cublasCreate) create;
  decltype(&cublasDestroy) destroy;
  decltype(&cublasSetStream) set_stream;
  decltype(&cublasSetWorkspace) set_workspace;
  decltype(&cublasSetPointerMode) set_pointer_mode;
  cublasStatus_t (*gemm_ex)(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int, const void*,
                            const void*, cudaDataType, int, const void*, cudaDataType, int, const void*,
                            void*, cudaDataType, int, cublasComputeType_t,
                            cublasGemmAlgo_t);  // overloaded in C++
  decltype(&cublasGetStatusString) get_status_string;
  decltype(&cublasGetProperty) get_property;
};

/// Loads the library, which stays loaded. Errors: DeviceError if it cannot be loaded or is not the version
/// that this program was compiled for.
BlasLibrary load_blas_library();

}  // namespace warpfit
