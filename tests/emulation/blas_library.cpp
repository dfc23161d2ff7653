// Replaces cuda/runtime/blas_library.cpp: provides the functions of blas_api.cpp.
#include "cuda/runtime/blas_library.hpp"

namespace warpfit {

BlasLibrary load_blas_library() {
  return {cublasCreate,         cublasDestroy, cublasSetStream,       cublasSetWorkspace,
          cublasSetPointerMode, cublasGemmEx,  cublasGetStatusString, cublasGetProperty};
}

}  // namespace warpfit
