#include "cuda/runtime/parts.hpp"

#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <fmt/core.h>

#include "cuda/runtime/blas_library.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda/runtime/kernel_code.hpp"
#include "cuda/runtime/nccl.hpp"
#include "host/base/error.hpp"

namespace warpfit {
namespace {

std::string cuda_version(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

std::string blas_version() try {
  const BlasLibrary blas = load_blas_library();
  int major = 0, minor = 0, patch = 0;
  const bool told = blas.get_property(MAJOR_VERSION, &major) == CUBLAS_STATUS_SUCCESS &&
                    blas.get_property(MINOR_VERSION, &minor) == CUBLAS_STATUS_SUCCESS &&
                    blas.get_property(PATCH_LEVEL, &patch) == CUBLAS_STATUS_SUCCESS;
  return told ? fmt::format("{}.{}.{}", major, minor, patch) : "";
} catch (const DeviceError&) {  // the library does not exist
  return "";
}

// The header may be missing although the library exists, because only tests and benchmarks need cuDNN.
std::string dnn_version() {
  void* library = dlopen("libcudnn.so.9", RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) return "";
  const auto get = reinterpret_cast<std::size_t (*)()>(dlsym(library, "cudnnGetVersion"));
  const auto version = get != nullptr ? get() : 0;
  dlclose(library);
  return version == 0 ? "" : fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

// Querying the free memory initializes the GPU, which shows whether it works.
CudaDevice describe(int index) {
  CudaDevice device;
  cudaDeviceProp properties{};
  auto status = cudaGetDeviceProperties(&properties, index);
  if (status == cudaSuccess) {
    device.name = properties.name;
    device.major = properties.major;
    device.minor = properties.minor;
    device.memory = properties.totalGlobalMem;
    status = cudaSetDevice(index);
  }
  std::size_t total = 0;
  if (status == cudaSuccess) status = cudaMemGetInfo(&device.free_memory, &total);
  if (status != cudaSuccess) {
    device.problem = cudaGetErrorString(status);
    cudaGetLastError();
  } else {
    device.problem = kernel_code_problem(index);
  }
  return device;
}

}  // namespace

void find_parts(CudaParts& parts) {
  int driver = 0;
  int runtime = 0;
  if (cudaDriverGetVersion(&driver) == cudaSuccess && driver > 0) parts.driver = cuda_version(driver);
  if (cudaRuntimeGetVersion(&runtime) == cudaSuccess) parts.runtime = cuda_version(runtime);
  parts.blas = blas_version();
  parts.dnn = dnn_version();
  parts.nccl = nccl_version();
  NoCuda why;
  const int devices = count_devices(why);
  parts.reason = why.reason;
  for (int i = 0; i < devices; ++i) parts.devices.push_back(describe(i));
}

}  // namespace warpfit
