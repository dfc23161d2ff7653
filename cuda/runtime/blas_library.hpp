// cuBLAS's functions, looked up when a product first needs them: with its tables of kernels the library is
// hundreds of megabytes, which takes from 50 ms to seconds to load, and the fused engine needs none of it.
#pragma once

#include <cublas_v2.h>

namespace warpfit {

/// The functions that we call; each member is the function of its name.
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

/// Loads the library; it stays loaded. Errors: DeviceError if it cannot be loaded, or is not the version that
/// this program was compiled for.
BlasLibrary load_blas_library();

}  // namespace warpfit
