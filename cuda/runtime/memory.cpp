#include "cuda/runtime/memory.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <string>

#include "cuda/runtime/check.hpp"

namespace warpfit {

DeviceMemory::DeviceMemory(std::size_t bytes) {
  void* memory = nullptr;
  check(cudaMalloc(&memory, std::max<std::size_t>(bytes, 1)),
        "allocating " + std::to_string(bytes) + " bytes on the device");
  memory_.reset(static_cast<std::uint8_t*>(memory));
}

void DeviceMemory::Free::operator()(std::uint8_t* memory) const noexcept { free_device_memory(memory); }
void free_device_memory(void* memory) noexcept { cudaFree(memory); }

HostMemory::HostMemory(std::size_t bytes) {
  void* memory = nullptr;
  if (cudaMallocHost(&memory, std::max<std::size_t>(bytes, 1)) == cudaSuccess) {
    pinned_.reset(static_cast<std::uint8_t*>(memory));
    bytes_ = {pinned_.get(), bytes};
  } else {
    cudaGetLastError();
    pageable_.resize(bytes);
    bytes_ = pageable_;
  }
}

void HostMemory::Free::operator()(std::uint8_t* memory) const noexcept { cudaFreeHost(memory); }

}  // namespace warpfit
