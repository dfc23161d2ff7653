#include "host/run/make_backend.hpp"

#include <fmt/core.h>

#include <system_error>

#include "host/base/error.hpp"
#include "host/cpu/cpu_backend.hpp"
#include "host/run/cuda_library.hpp"

namespace warpfit {

DeviceWarmUp::DeviceWarmUp(const DeviceChoice& device) {
  if (device.kind == DeviceChoice::Kind::kCpu) return;
  try {
    thread_ = std::thread([index = device.index] {
      try {
        warm_cuda(index);
      } catch (const std::exception&) {  // make_backend() fails in the same way and reports it
      }
    });
  } catch (const std::system_error&) {  // no thread is available: the device is initialized later
  }
}

DeviceWarmUp::~DeviceWarmUp() {
  if (thread_.joinable()) thread_.join();
}

namespace {

// Null for the CPU.
std::unique_ptr<Backend> make_gpu_backend(const BackendOptions& options) {
  const bool is_required = options.device.kind == DeviceChoice::Kind::kCuda;
  NoCuda why;
  try {
    if (auto backend = make_cuda_backend(options, why)) return backend;
  } catch (const DeviceError& error) {
    if (is_required) throw;
    why = {error.what(), false};
  }
  if (is_required) {
    throw DeviceError(
        fmt::format("--device cuda:{}: {}; --device cpu needs no GPU", options.device.index, why.reason));
  }
  if (!why.no_gpu) options.warn(fmt::format("the GPU is not used: {}", why.reason));
  return nullptr;
}

}  // namespace

std::unique_ptr<Backend> make_backend(const BackendOptions& options) {
  if (options.device.kind != DeviceChoice::Kind::kCpu) {
    if (auto backend = make_gpu_backend(options)) return backend;
  }
  if (options.precision != Precision::kFp32) {
    throw UsageError("--precision: the CPU computes in fp32 only; tf32 and bf16 need a GPU");
  }
  return std::make_unique<CpuBackend>(options.threads, options.communicator);
}

}  // namespace warpfit
