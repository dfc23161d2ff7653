// The functions that libwarpfit_cuda.so exports to the program.
#include <fmt/core.h>

#include "cuda/cuda_backend.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda/runtime/kernel_code.hpp"
#include "cuda/runtime/parts.hpp"
#include "host/backend/cuda_interface.hpp"

extern "C" __attribute__((visibility("default"))) warpfit::Backend* warpfit_make_cuda_backend(
    const warpfit::BackendOptions& options, warpfit::NoCuda& why) {
  const int devices = warpfit::count_devices(why);
  if (devices == 0) return nullptr;
  if (options.device.index >= devices) {
    why.reason = fmt::format("there {} only {} GPU{} here", devices == 1 ? "is" : "are", devices,
                             devices == 1 ? "" : "s");
    return nullptr;
  }
  warpfit::use_device(options.device.index);
  why.reason = warpfit::kernel_code_problem(options.device.index);
  if (!why.reason.empty()) return nullptr;
  return new warpfit::CudaBackend(options);  // the caller owns it
}

extern "C" __attribute__((visibility("default"))) void warpfit_warm_cuda(int device) {
  warpfit::NoCuda ignored;
  if (device < warpfit::count_devices(ignored)) warpfit::use_device(device);
}

extern "C" __attribute__((visibility("default"))) void warpfit_find_cuda(warpfit::CudaParts& parts) {
  warpfit::find_parts(parts);
}
