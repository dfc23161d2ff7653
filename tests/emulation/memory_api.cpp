// cudaMalloc, pinned memory, and pointer attributes.
#include <cuda_runtime_api.h>

#include "tests/emulation/runtime.hpp"

using namespace warpfit::emulation;

namespace {

/// The error of calls that need a context on a machine without a device.
cudaError_t device_missing() {
  if (config().device_error != 0) return static_cast<cudaError_t>(config().device_error);
  return config().devices > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t allocate_pinned(void** start, std::size_t bytes) {
  if (start == nullptr) return cudaErrorInvalidValue;
  if (device_missing() != cudaSuccess) return device_missing();
  *start = bytes > 0 ? runtime().memory.allocate_pinned(bytes) : nullptr;
  return *start != nullptr || bytes == 0 ? cudaSuccess : cudaErrorMemoryAllocation;
}

/// Both kinds of free wait for all queued work first, as in CUDA.
cudaError_t release(void* start, MemoryKind kind) {
  if (start == nullptr) return cudaSuccess;
  runtime().finish();
  if (runtime().memory.release(start, kind)) return cudaSuccess;
  if (runtime().memory.freed(start)) fail("cudaFree of device memory that was freed before");
  return cudaErrorInvalidValue;
}

}  // namespace

cudaError_t cudaMalloc(void** start, std::size_t bytes) {
  return call("cudaMalloc", CaptureRule::kUnsafe, [=] {
    if (start == nullptr) return cudaErrorInvalidValue;
    if (device_missing() != cudaSuccess) return device_missing();
    *start = bytes > 0 ? runtime().memory.allocate_device(bytes) : nullptr;
    return *start != nullptr || bytes == 0 ? cudaSuccess : cudaErrorMemoryAllocation;
  });
}

cudaError_t cudaFree(void* start) {
  return call("cudaFree", CaptureRule::kUnsafe, [=] { return release(start, MemoryKind::kDevice); });
}

cudaError_t cudaMallocHost(void** start, std::size_t bytes) {
  return call("cudaMallocHost", CaptureRule::kUnsafe, [=] { return allocate_pinned(start, bytes); });
}

cudaError_t cudaHostAlloc(void** start, std::size_t bytes, unsigned flags) {
  return call("cudaHostAlloc", CaptureRule::kUnsafe, [=] {
    if ((flags & ~7u) != 0) return cudaErrorInvalidValue;
    return allocate_pinned(start, bytes);
  });
}

cudaError_t cudaFreeHost(void* start) {
  return call("cudaFreeHost", CaptureRule::kUnsafe, [=] { return release(start, MemoryKind::kPinned); });
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  return call("cudaMemGetInfo", CaptureRule::kAllowed, [=] {
    if (device_missing() != cudaSuccess) return device_missing();
    *total = config().device_memory;
    *free = *total - runtime().memory.used();
    return cudaSuccess;
  });
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  return call("cudaPointerGetAttributes", CaptureRule::kAllowed, [=] {
    if (attributes == nullptr) return cudaErrorInvalidValue;
    *attributes = {};
    const MemoryKind kind = runtime().memory.kind(pointer);
    attributes->type = kind == MemoryKind::kDevice   ? cudaMemoryTypeDevice
                       : kind == MemoryKind::kPinned ? cudaMemoryTypeHost
                                                     : cudaMemoryTypeUnregistered;
    attributes->device = kind == MemoryKind::kPageable ? cudaInvalidDeviceId : 0;
    if (kind != MemoryKind::kPageable) attributes->devicePointer = const_cast<void*>(pointer);
    if (kind == MemoryKind::kPinned) attributes->hostPointer = const_cast<void*>(pointer);
    return cudaSuccess;
  });
}
