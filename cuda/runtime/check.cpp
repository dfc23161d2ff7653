#include "cuda/runtime/check.hpp"

#include <string>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

std::string message(std::string_view doing, const char* name, const char* reason) {
  return std::string(doing) + ": " + reason + " (" + name + ")";
}

}  // namespace

void check(cudaError_t status, std::string_view doing) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // what is reported here must not show up again at the next call
  const auto text = message(doing, cudaGetErrorName(status), cudaGetErrorString(status));
  if (status == cudaErrorMemoryAllocation)
    throw OutOfMemory(text + "; try a smaller --batch-size or --network");
  throw DeviceError(text);
}

void check(cublasStatus_t status, std::string_view doing) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  const auto text = message(doing, "cuBLAS", cublasGetStatusString(status));
  if (status == CUBLAS_STATUS_ALLOC_FAILED) throw OutOfMemory(text);
  throw DeviceError(text);
}

}  // namespace warpfit
