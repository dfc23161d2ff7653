#include <string>

#include "cuda/device/kernel.cuh"
#include "cuda/runtime/kernel_code.hpp"

namespace warpfit {
namespace {

__global__ void any_kernel() {}  // all kernels are compiled for the same architectures

}  // namespace

std::string kernel_code_problem(int device) {
  cudaFuncAttributes attributes{};
  const auto status = cudaFuncGetAttributes(&attributes, any_kernel);
  if (status == cudaSuccess) return "";
  cudaGetLastError();
  int major = 0, minor = 0;
  cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
  cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device);
  const std::string number = std::to_string(major), rest = std::to_string(minor);
  return "GPU " + std::to_string(device) + " has compute capability " + number + "." + rest +
         ", which this build has no code for: " + cudaGetErrorString(status) + " (" +
         cudaGetErrorName(status) +
         (major < 8 ? "); warpfit needs 8.0 or later"
                    : "); build warpfit with -DWARPFIT_CUDA_ARCHITECTURES=" + number + rest);
}

}  // namespace warpfit
