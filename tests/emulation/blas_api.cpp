// The cuBLAS functions that the program uses: handles, and matrix products as work in a stream.
#include <cublas_v2.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "tests/emulation/gemm.hpp"
#include "tests/emulation/runtime.hpp"

namespace warpfit::emulation {

struct BlasHandle {
  cudaStream_t stream = nullptr;
  cublasPointerMode_t pointers = CUBLAS_POINTER_MODE_HOST;
  cublasMath_t math = CUBLAS_DEFAULT_MATH;
  cublasAtomicsMode_t atomics = CUBLAS_ATOMICS_NOT_ALLOWED;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;
};

}  // namespace warpfit::emulation

using namespace warpfit::emulation;

namespace {

/// Runs the body of a cuBLAS function in an ApiCallScope. The number of an injected error is a
/// cublasStatus_t here.
template <class F>
cublasStatus_t blas_call(const char* name, CaptureRule rule, F body) {
  const ApiCallScope scope(name, rule);
  if (scope.error() == cudaSuccess) return body();
  if (scope.error() == cudaErrorStreamCaptureUnsupported) return CUBLAS_STATUS_ALLOC_FAILED;
  return config().fail_function == name ? static_cast<cublasStatus_t>(scope.error())
                                        : CUBLAS_STATUS_EXECUTION_FAILED;
}

template <class F>
cublasStatus_t with_handle(const char* name, cublasHandle_t handle, F body) {
  return blas_call(name, CaptureRule::kAllowed, [&] {
    const auto found = runtime().blas_handles.find(handle);
    return found ? body(*found) : CUBLAS_STATUS_NOT_INITIALIZED;
  });
}

bool known(cublasOperation_t operation) { return operation >= CUBLAS_OP_N && operation <= CUBLAS_OP_C; }

bool supported(cudaDataType a, cudaDataType b, cudaDataType c, cublasComputeType_t compute) {
  if (compute != CUBLAS_COMPUTE_32F && compute != CUBLAS_COMPUTE_32F_PEDANTIC &&
      compute != CUBLAS_COMPUTE_32F_FAST_TF32 && compute != CUBLAS_COMPUTE_32F_FAST_16BF) {
    return false;
  }
  if (a != b || (c != CUDA_R_32F && c != CUDA_R_16BF)) return false;
  return a == CUDA_R_16BF || (a == CUDA_R_32F && c == CUDA_R_32F);
}

InputRounding rounding(const BlasHandle& handle, cublasComputeType_t compute) {
  if (compute == CUBLAS_COMPUTE_32F_FAST_16BF) return InputRounding::kBf16;
  const bool mode = (handle.math & 3) == CUBLAS_TF32_TENSOR_OP_MATH && compute == CUBLAS_COMPUTE_32F;
  return mode || compute == CUBLAS_COMPUTE_32F_FAST_TF32 ? InputRounding::kTf32 : InputRounding::kNone;
}

Scalar scalar(const BlasHandle& handle, const void* pointer) {
  const auto* number = static_cast<const float*>(pointer);
  if (handle.pointers == CUBLAS_POINTER_MODE_DEVICE) return {0, number};
  if (runtime().memory.kind(number) == MemoryKind::kDevice) {
    fail("matrix product: alpha or beta is in device memory, but the handle's pointer mode is host");
  }
  return {*number, nullptr};
}

cublasStatus_t queue(BlasHandle& handle, Gemm gemm, const void* alpha, const void* beta) {
  if (gemm.m < 0 || gemm.n < 0 || gemm.k < 0) return CUBLAS_STATUS_INVALID_VALUE;
  for (const Matrix* matrix : {&gemm.a, &gemm.b, &gemm.c}) {
    if (matrix->leading < std::max(1, matrix->rows)) return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (gemm.m == 0 || gemm.n == 0) return CUBLAS_STATUS_SUCCESS;
  if (alpha == nullptr || beta == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  gemm.alpha = scalar(handle, alpha);
  gemm.beta = scalar(handle, beta);
  gemm.workspace = handle.workspace;
  gemm.workspace_bytes = handle.workspace_bytes;
  const auto stream = find_stream(handle.stream);
  if (!stream) return CUBLAS_STATUS_EXECUTION_FAILED;
  gemm.check();
  const cudaError_t error = submit(*stream, [gemm] { gemm.run(); });
  return error == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

/// The matrices of a product, as passed to the cuBLAS function.
struct Product {
  cublasOperation_t transpose_a, transpose_b;
  int m, n, k;
  const void* a;
  cudaDataType a_type;
  int lda;
  const void* b;
  cudaDataType b_type;
  int ldb;
  void* c;
  cudaDataType c_type;
  int ldc;
  cublasComputeType_t compute;
};

cublasStatus_t multiply(const char* name, cublasHandle_t handle, const Product& p, const void* alpha,
                        const void* beta) {
  return with_handle(name, handle, [&](BlasHandle& h) {
    if (!known(p.transpose_a) || !known(p.transpose_b)) return CUBLAS_STATUS_INVALID_VALUE;
    if (!supported(p.a_type, p.b_type, p.c_type, p.compute)) return CUBLAS_STATUS_NOT_SUPPORTED;
    Gemm gemm{};
    gemm.transpose_a = p.transpose_a != CUBLAS_OP_N;
    gemm.transpose_b = p.transpose_b != CUBLAS_OP_N;
    gemm.m = p.m;
    gemm.n = p.n;
    gemm.k = p.k;
    gemm.a = {"A", p.a, p.a_type, gemm.transpose_a ? p.k : p.m, gemm.transpose_a ? p.m : p.k, p.lda};
    gemm.b = {"B", p.b, p.b_type, gemm.transpose_b ? p.n : p.k, gemm.transpose_b ? p.k : p.n, p.ldb};
    gemm.c = {"C", p.c, p.c_type, p.m, p.n, p.ldc};
    gemm.rounding = rounding(h, p.compute);
    return queue(h, gemm, alpha, beta);
  });
}

}  // namespace

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  return blas_call("cublasCreate_v2", CaptureRule::kUnsafe, [=] {
    if (handle == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    if (config().devices == 0 || config().device_error != 0) return CUBLAS_STATUS_NOT_INITIALIZED;
    *handle = runtime().blas_handles.add(std::make_shared<BlasHandle>());
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  return blas_call("cublasDestroy_v2", CaptureRule::kUnsafe, [=] {
    if (!runtime().blas_handles.remove(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
    runtime().finish();  // cublasDestroy synchronizes the device
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasGetVersion_v2(cublasHandle_t, int* version) {
  return blas_call("cublasGetVersion_v2", CaptureRule::kAllowed, [=] {
    if (version == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    *version = CUBLAS_VERSION;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasGetProperty(libraryPropertyType type, int* value) {
  return blas_call("cublasGetProperty", CaptureRule::kAllowed, [=] {
    if (value == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    *value = type == MAJOR_VERSION   ? CUBLAS_VER_MAJOR
             : type == MINOR_VERSION ? CUBLAS_VER_MINOR
                                     : CUBLAS_VER_PATCH;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  return with_handle("cublasSetStream_v2", handle, [=](BlasHandle& h) {
    h.stream = stream;
    h.workspace = nullptr;  // as in cuBLAS, cublasSetStream resets the workspace
    h.workspace_bytes = 0;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, std::size_t bytes) {
  return with_handle("cublasSetWorkspace_v2", handle, [=](BlasHandle& h) {
    if (reinterpret_cast<std::uintptr_t>(workspace) % 256 != 0) return CUBLAS_STATUS_INVALID_VALUE;
    if (workspace != nullptr && (runtime().memory.kind(workspace) != MemoryKind::kDevice ||
                                 !runtime().memory.holds(workspace, bytes))) {
      fail("cublasSetWorkspace: %zu bytes from %s", bytes, runtime().memory.describe(workspace).c_str());
    }
    h.workspace = workspace;
    h.workspace_bytes = bytes;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t mode) {
  return with_handle("cublasSetPointerMode_v2", handle, [=](BlasHandle& h) {
    if (mode != CUBLAS_POINTER_MODE_HOST && mode != CUBLAS_POINTER_MODE_DEVICE)
      return CUBLAS_STATUS_INVALID_VALUE;
    h.pointers = mode;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  return with_handle("cublasSetMathMode", handle, [=](BlasHandle& h) {
    h.math = mode;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasSetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t mode) {
  return with_handle("cublasSetAtomicsMode", handle, [=](BlasHandle& h) {
    h.atomics = mode;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, cublasOperation_t transpose_a,
                              cublasOperation_t transpose_b, int m, int n, int k, const float* alpha,
                              const float* a, int lda, const float* b, int ldb, const float* beta, float* c,
                              int ldc) {
  return multiply("cublasSgemm_v2", handle,
                  {transpose_a, transpose_b, m, n, k, a, CUDA_R_32F, lda, b, CUDA_R_32F, ldb, c, CUDA_R_32F,
                   ldc, CUBLAS_COMPUTE_32F},
                  alpha, beta);
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t transpose_a,
                            cublasOperation_t transpose_b, int m, int n, int k, const void* alpha,
                            const void* a, cudaDataType a_type, int lda, const void* b, cudaDataType b_type,
                            int ldb, const void* beta, void* c, cudaDataType c_type, int ldc,
                            cublasComputeType_t compute, cublasGemmAlgo_t) {
  return multiply(
      "cublasGemmEx", handle,
      {transpose_a, transpose_b, m, n, k, a, a_type, lda, b, b_type, ldb, c, c_type, ldc, compute}, alpha,
      beta);
}

const char* cublasGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "the operation completed successfully";
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "the library was not initialized";
    case CUBLAS_STATUS_ALLOC_FAILED:
      return "the resource allocation failed";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "an invalid numerical value was used as an argument";
    case CUBLAS_STATUS_EXECUTION_FAILED:
      return "the GPU program failed to execute";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "the requested functionality is not supported";
    case CUBLAS_STATUS_INTERNAL_ERROR:
      return "an internal operation failed";
    default:
      return "unknown status";
  }
}
