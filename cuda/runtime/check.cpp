#include "cuda/runtime/check.hpp"

#include <fmt/core.h>

#include "cuda/runtime/barrier_timeout.hpp"
#include "host/base/error.hpp"

namespace warpfit {
void check(cudaError_t status, std::string_view doing) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // clears the error, so that the next call does not report it again
  const auto text = fmt::format("{}: {} ({})", doing, cudaGetErrorString(status), cudaGetErrorName(status));
  if (status == cudaErrorMemoryAllocation)
    throw OutOfMemory(text + "; try a smaller --batch-size or --network");
  const auto timeout = barrier_timeout_text();
  throw DeviceError(timeout.empty() ? text : text + "; " + timeout);
}

}  // namespace warpfit
