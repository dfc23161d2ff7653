#include "cuda/runtime/blas_library.hpp"

#include <string>

#include "cuda/runtime/dynamic_library.hpp"

namespace warpfit {

BlasLibrary load_blas_library() {
  const auto major = std::to_string(CUBLAS_VER_MAJOR);
  const DynamicLibrary library(("libcublas.so." + major).c_str(), "cuBLAS", ("cuBLAS " + major).c_str());
  BlasLibrary blas{};
  library.find(blas.create, "cublasCreate_v2");
  library.find(blas.destroy, "cublasDestroy_v2");
  library.find(blas.set_stream, "cublasSetStream_v2");
  library.find(blas.set_workspace, "cublasSetWorkspace_v2");
  library.find(blas.set_pointer_mode, "cublasSetPointerMode_v2");
  library.find(blas.gemm_ex, "cublasGemmEx");
  library.find(blas.get_status_string, "cublasGetStatusString");
  library.find(blas.get_property, "cublasGetProperty");
  return blas;
}

}  // namespace warpfit
