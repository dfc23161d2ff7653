#include "cuda/runtime/device.hpp"

#include <cuda_runtime_api.h>
#include <fmt/core.h>

#include "cuda/runtime/check.hpp"

namespace warpfit {
namespace {

std::string version_text(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

}  // namespace

int count_devices(NoCuda& why) {
  int devices = 0;  // not changed if the call fails
  switch (const auto status = cudaGetDeviceCount(&devices)) {
    case cudaSuccess:
      if (devices > 0) return devices;
      [[fallthrough]];
    case cudaErrorNoDevice:
      why = {"there is no NVIDIA GPU here", true};
      break;
    case cudaErrorInsufficientDriver:
    case cudaErrorStubLibrary:
      why.reason = fmt::format("the NVIDIA driver is missing or older than CUDA {} needs ({})",
                               version_text(CUDART_VERSION), cudaGetErrorString(status));
      break;
    default:
      why.reason = fmt::format("the NVIDIA driver reports an error: {}", cudaGetErrorString(status));
      break;
  }
  cudaGetLastError();
  return 0;
}

void use_device(int device) { check(cudaSetDevice(device), fmt::format("starting GPU {}", device)); }

std::string describe_device(int device) {
  cudaDeviceProp properties{};
  int driver = 0;
  int runtime = 0;
  check(cudaGetDeviceProperties(&properties, device), "querying the GPU's properties");
  check(cudaDriverGetVersion(&driver), "querying the driver's version");
  check(cudaRuntimeGetVersion(&runtime), "querying CUDA's version");
  constexpr double kGibibyte = 1U << 30;
  return fmt::format("{}, {:.1f} GiB, compute capability {}.{}, driver {}, CUDA {}", properties.name,
                     static_cast<double>(properties.totalGlobalMem) / kGibibyte, properties.major,
                     properties.minor, version_text(driver), version_text(runtime));
}

DeviceLimits device_limits(int device) {
  const auto attribute = [device](cudaDeviceAttr what) {
    int value = 0;
    check(cudaDeviceGetAttribute(&value, what, device), "querying the GPU's limits");
    return value;
  };
  return {attribute(cudaDevAttrMultiProcessorCount),
          static_cast<std::size_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin)),
          attribute(cudaDevAttrCooperativeLaunch) != 0};
}

std::size_t free_device_bytes() {
  std::size_t free = 0;
  std::size_t total = 0;
  check(cudaMemGetInfo(&free, &total), "querying the GPU's free memory");
  return free;
}

}  // namespace warpfit
