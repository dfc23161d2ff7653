// Copies between host and device.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

#include "cuda/runtime/check.hpp"

namespace warpfit {

/// Queues a copy. Page-locked host memory is read when the copy runs, other host memory before this function
/// returns.
inline void copy_to_device(void* to, const void* from, std::size_t bytes, cudaStream_t stream) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream), "copying to the device");
}

/// Queues a copy; the data is in host memory after the stream was synchronized.
inline void copy_to_host(void* to, const void* from, std::size_t bytes, cudaStream_t stream) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream), "copying from the device");
}

/// Queues a copy within the device's memory.
inline void copy_on_device(void* to, const void* from, std::size_t bytes, cudaStream_t stream) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream), "copying on the device");
}

}  // namespace warpfit
