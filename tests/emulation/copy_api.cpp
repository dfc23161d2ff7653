// Copies and fills. Which of them are asynchronous depends on the kind of memory, as described under "API
// synchronization behavior" in the CUDA Runtime API manual:
// - pinned to device: the host memory is read when the copy runs;
// - pageable to device: the host memory is read during the call, the device memory is written later, in
// stream order;
// - device to pageable: complete on return;
// - cudaMemcpy of pinned memory, and from the device: complete on return; cudaMemset never waits.
#include <cuda_runtime_api.h>

#include <cstring>
#include <memory>
#include <vector>

#include "tests/emulation/runtime.hpp"

using namespace warpfit::emulation;

namespace {

bool on_device(const void* address) { return runtime().memory.kind(address) == MemoryKind::kDevice; }

/// Each side of a copy must lie entirely in the kind of memory that the direction names.
bool fits(const void* start, std::size_t bytes, bool device) {
  const Memory& memory = runtime().memory;
  if (memory.freed(start)) fail("a copy or fill uses device memory that was freed");
  if (on_device(start) != device) return false;
  return memory.kind(start) == MemoryKind::kPageable || memory.holds(start, bytes);
}

bool directed(void* to, const void* from, std::size_t bytes, cudaMemcpyKind& kind) {
  if (kind == cudaMemcpyDefault) {
    kind = on_device(to) ? (on_device(from) ? cudaMemcpyDeviceToDevice : cudaMemcpyHostToDevice)
                         : (on_device(from) ? cudaMemcpyDeviceToHost : cudaMemcpyHostToHost);
  }
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  return fits(to, bytes, to_device) && fits(from, bytes, from_device);
}

void run_copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const Memory& memory = runtime().memory;
  if (memory.freed(to) || memory.freed(from))
    fail("a copy runs on device memory that was freed after it was queued");
  std::memcpy(to, from, bytes);
  Statistics& statistics = runtime().statistics;
  ++statistics.copies;
  const auto count = static_cast<std::int64_t>(bytes);
  if (kind == cudaMemcpyHostToDevice) statistics.bytes_to_device += count;
  if (kind == cudaMemcpyDeviceToHost) statistics.bytes_to_host += count;
}

cudaError_t copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t handle,
                 bool wait) {
  const auto stream = find_stream(handle);
  if (!stream) return cudaErrorInvalidResourceHandle;
  if (kind < cudaMemcpyHostToHost || kind > cudaMemcpyDefault) return cudaErrorInvalidMemcpyDirection;
  if (bytes == 0) return cudaSuccess;
  if (to == nullptr || from == nullptr || !directed(to, from, bytes, kind)) return cudaErrorInvalidValue;
  const Memory& memory = runtime().memory;
  const bool from_pageable = memory.kind(from) == MemoryKind::kPageable;
  const bool to_pageable = memory.kind(to) == MemoryKind::kPageable;
  if ((from_pageable || to_pageable) && stream->capture) {
    runtime().invalidate_captures();
    return cudaErrorStreamCaptureUnsupported;
  }
  cudaError_t error = cudaSuccess;
  if (from_pageable && kind == cudaMemcpyHostToDevice) {
    auto staged = std::make_shared<std::vector<char>>(bytes);
    std::memcpy(staged->data(), from, bytes);
    error = submit(*stream, [=] { run_copy(to, staged->data(), bytes, kind); });
  } else {
    error = submit(*stream, [=] { run_copy(to, from, bytes, kind); });
    wait = (wait && kind != cudaMemcpyDeviceToDevice) || to_pageable || kind == cudaMemcpyHostToHost;
    if (error == cudaSuccess && wait) synchronize(*stream);
  }
  return error;
}

cudaError_t fill(void* start, int value, std::size_t bytes, cudaStream_t handle) {
  const auto stream = find_stream(handle);
  if (!stream) return cudaErrorInvalidResourceHandle;
  if (bytes == 0) return cudaSuccess;
  const MemoryKind kind = runtime().memory.kind(start);
  if (!fits(start, bytes, kind == MemoryKind::kDevice) || kind == MemoryKind::kPageable)
    return cudaErrorInvalidValue;
  return submit(*stream, [=] {
    if (runtime().memory.freed(start))
      fail("a fill runs on device memory that was freed after it was queued");
    std::memset(start, value, bytes);
    ++runtime().statistics.fills;
  });
}

}  // namespace

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  return call("cudaMemcpy", CaptureRule::kUnsafe, [=] { return copy(to, from, bytes, kind, nullptr, true); });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return call("cudaMemcpyAsync", CaptureRule::kAllowed,
              [=] { return copy(to, from, bytes, kind, stream, false); });
}

cudaError_t cudaMemset(void* start, int value, std::size_t bytes) {
  return call("cudaMemset", CaptureRule::kUnsafe, [=] { return fill(start, value, bytes, nullptr); });
}

cudaError_t cudaMemsetAsync(void* start, int value, std::size_t bytes, cudaStream_t stream) {
  return call("cudaMemsetAsync", CaptureRule::kAllowed, [=] { return fill(start, value, bytes, stream); });
}
