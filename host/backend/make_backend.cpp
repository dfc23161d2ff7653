#include "host/backend/make_backend.hpp"

#include <fmt/core.h>

#include <system_error>

#include "host/backend/cuda_library.hpp"
#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/cpu/cpu_backend.hpp"

namespace warpfit {

DeviceChoice parse_device(std::string_view text) {
  using Kind = DeviceChoice::Kind;
  constexpr std::string_view kCudaPrefix = "cuda:";
  if (text == "auto") return {Kind::kAuto};
  if (text == "cpu") return {Kind::kCpu};
  if (text == "cuda") return {Kind::kCuda};
  if (text.starts_with(kCudaPrefix)) {
    const auto index = parse_number<int>(text.substr(kCudaPrefix.size()));
    if (index && *index >= 0) return {Kind::kCuda, *index};
  }
  throw UsageError(
      fmt::format("--device {}: expected auto, cpu, cuda or cuda:N (N counts GPUs from 0)", text));
}

DeviceWarmUp::DeviceWarmUp(const DeviceChoice& device) {
  if (device.kind == DeviceChoice::Kind::kCpu) return;
  try {
    thread_ = std::thread([index = device.index] {
      try {
        warm_cuda(index);
      } catch (const std::exception&) {  // make_backend() will meet it again, and say so
      }
    });
  } catch (const std::system_error&) {  // no thread to be had: the device starts later
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
  return std::make_unique<CpuBackend>(options.threads);
}

}  // namespace warpfit
