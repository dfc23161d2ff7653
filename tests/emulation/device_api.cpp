// Devices: their number, properties, and reset. The properties are those of an H100, except for the memory
// size and the number of multiprocessors.
#include <cuda_profiler_api.h>
#include <cuda_runtime_api.h>

#include <cstring>

#include "tests/emulation/limits.hpp"
#include "tests/emulation/runtime.hpp"

namespace {

using namespace warpfit::emulation;

/// The configured error of a machine without a usable device, if any.
cudaError_t missing() {
  const Config& c = config();
  if (c.device_error != 0) return static_cast<cudaError_t>(c.device_error);
  return c.devices > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t check_device(int device) {
  if (missing() != cudaSuccess) return missing();
  return device >= 0 && device < config().devices ? cudaSuccess : cudaErrorInvalidDevice;
}

int attribute(cudaDeviceAttr what) {
  switch (what) {
    case cudaDevAttrMaxThreadsPerBlock:
      return 1024;
    case cudaDevAttrMaxBlockDimX:
      return 1024;
    case cudaDevAttrMaxBlockDimY:
      return 1024;
    case cudaDevAttrMaxBlockDimZ:
      return 64;
    case cudaDevAttrMaxGridDimX:
      return 2147483647;
    case cudaDevAttrMaxGridDimY:
      return 65535;
    case cudaDevAttrMaxGridDimZ:
      return 65535;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      return kSharedPerBlock;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      return kSharedPerBlockRaised;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      return kSharedPerMultiprocessor;
    case cudaDevAttrReservedSharedMemoryPerBlock:
      return 1024;
    case cudaDevAttrTotalConstantMemory:
      return 65536;
    case cudaDevAttrWarpSize:
      return 32;
    case cudaDevAttrMaxRegistersPerBlock:
      return 65536;
    case cudaDevAttrMaxRegistersPerMultiprocessor:
      return 65536;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      return kThreadsPerMultiprocessor;
    case cudaDevAttrMaxBlocksPerMultiprocessor:
      return kBlocksPerMultiprocessor;
    case cudaDevAttrMultiProcessorCount:
      return config().multiprocessors;
    case cudaDevAttrComputeCapabilityMajor:
      return 9;
    case cudaDevAttrComputeCapabilityMinor:
      return 0;
    case cudaDevAttrClockRate:
      return 1980000;
    case cudaDevAttrMemoryClockRate:
      return 2619000;
    case cudaDevAttrGlobalMemoryBusWidth:
      return 5120;
    case cudaDevAttrL2CacheSize:
      return 52428800;
    case cudaDevAttrAsyncEngineCount:
      return 3;
    case cudaDevAttrConcurrentKernels:
    case cudaDevAttrCooperativeLaunch:
    case cudaDevAttrUnifiedAddressing:
    case cudaDevAttrCanMapHostMemory:
    case cudaDevAttrStreamPrioritiesSupported:
    case cudaDevAttrManagedMemory:
    case cudaDevAttrConcurrentManagedAccess:
    case cudaDevAttrMemoryPoolsSupported:
      return 1;
    default:
      return 0;
  }
}

void describe(cudaDeviceProp& p) {
  p = {};
  std::strcpy(p.name, "Emulated CUDA device");
  p.totalGlobalMem = config().device_memory;
  p.sharedMemPerBlock = kSharedPerBlock;
  p.sharedMemPerBlockOptin = kSharedPerBlockRaised;
  p.sharedMemPerMultiprocessor = kSharedPerMultiprocessor;
  p.reservedSharedMemPerBlock = 1024;
  p.regsPerBlock = p.regsPerMultiprocessor = 65536;
  p.warpSize = 32;
  p.memPitch = 2147483647;
  p.maxThreadsPerBlock = 1024;
  p.maxThreadsDim[0] = p.maxThreadsDim[1] = 1024;
  p.maxThreadsDim[2] = 64;
  p.maxGridSize[0] = 2147483647;
  p.maxGridSize[1] = p.maxGridSize[2] = 65535;
  p.totalConstMem = 65536;
  p.major = 9;
  p.multiProcessorCount = config().multiprocessors;
  p.maxThreadsPerMultiProcessor = kThreadsPerMultiprocessor;
  p.maxBlocksPerMultiProcessor = kBlocksPerMultiprocessor;
  p.memoryBusWidth = attribute(cudaDevAttrGlobalMemoryBusWidth);
  p.l2CacheSize = attribute(cudaDevAttrL2CacheSize);
  p.asyncEngineCount = 3;
  p.canMapHostMemory = p.concurrentKernels = p.unifiedAddressing = p.streamPrioritiesSupported = 1;
  p.cooperativeLaunch = p.managedMemory = p.memoryPoolsSupported = 1;
}

}  // namespace

int& warpfit::emulation::current_device() {
  static thread_local int device = 0;
  return device;
}

cudaError_t cudaGetDeviceCount(int* count) {
  return call("cudaGetDeviceCount", CaptureRule::kAllowed, [=] {
    if (count == nullptr) return cudaErrorInvalidValue;
    if (config().device_error != 0) return missing();  // *count is left unchanged
    *count = config().devices;
    return missing();
  });
}

cudaError_t cudaSetDevice(int device) {
  return call("cudaSetDevice", CaptureRule::kAllowed, [=] {
    const cudaError_t error = check_device(device);
    if (error == cudaSuccess) current_device() = device;
    return error;
  });
}

cudaError_t cudaGetDevice(int* device) {
  return call("cudaGetDevice", CaptureRule::kAllowed, [=] {
    if (missing() != cudaSuccess) return missing();
    *device = current_device();
    return cudaSuccess;
  });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return call("cudaGetDeviceProperties", CaptureRule::kAllowed, [=] {
    const cudaError_t error = check_device(device);
    if (error == cudaSuccess) describe(*properties);
    return error;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr what, int device) {
  return call("cudaDeviceGetAttribute", CaptureRule::kAllowed, [=] {
    const cudaError_t error = check_device(device);
    if (error == cudaSuccess) *value = attribute(what);
    return error;
  });
}

cudaError_t cudaDriverGetVersion(int* version) {
  return call("cudaDriverGetVersion", CaptureRule::kAllowed, [=] {
    *version = config().device_error != 0 ? 0 : CUDART_VERSION;  // 0: no driver is installed
    return cudaSuccess;
  });
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  return call("cudaRuntimeGetVersion", CaptureRule::kAllowed, [=] {
    *version = CUDART_VERSION;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceSynchronize() {
  return call("cudaDeviceSynchronize", CaptureRule::kProhibited, [] {
    ++runtime().statistics.synchronizations;
    runtime().finish();
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceReset() {
  Config same = config();
  if (runtime().matching_calls >= same.fail_at) same.fail_at = 0;  // the injected fault has occurred
  configure(same);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  return call("cudaDeviceGetStreamPriorityRange", CaptureRule::kAllowed, [=] {
    if (least != nullptr) *least = 0;
    if (greatest != nullptr) *greatest = kGreatestPriority;
    return cudaSuccess;
  });
}

cudaError_t cudaProfilerStart() {
  return call("cudaProfilerStart", CaptureRule::kAllowed, [] { return cudaSuccess; });
}
cudaError_t cudaProfilerStop() {
  return call("cudaProfilerStop", CaptureRule::kAllowed, [] { return cudaSuccess; });
}
