// cudaLaunchKernelEx for kernels that are ordinary functions. Arguments are copied at the launch, as in CUDA.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/emulation/device_runtime.hpp"

namespace warpfit::emulation {

template <class T>
void collect_pointers(std::vector<PointerArgument>& pointers, int index, const T& argument) {
  if constexpr (std::is_pointer_v<T>) {
    static_assert(!std::is_function_v<std::remove_pointer_t<T>>,
                  "a host function's address means nothing to a GPU");
    pointers.push_back({index, -1, const_cast<const void*>(static_cast<const volatile void*>(argument))});
  } else if constexpr (std::is_class_v<T>) {
#if __has_builtin(__builtin_clear_padding)  // what lies in padding may look like a pointer: clang does not
                                            // look
    T cleared = argument;
    __builtin_clear_padding(&cleared);
    const char* bytes = reinterpret_cast<const char*>(&cleared);
    for (std::size_t byte = 0; byte + sizeof(void*) <= sizeof(T); byte += sizeof(void*)) {
      const void* pointer = nullptr;
      std::memcpy(&pointer, bytes + byte, sizeof pointer);
      // Below the program itself there are numbers, and the sanitizers' shadows, which have pages at their
      // addresses.
      constexpr std::uintptr_t kProgram = 0x5500'0000'0000;
      if (reinterpret_cast<std::uintptr_t>(pointer) >= kProgram) {
        pointers.push_back({index, static_cast<int>(byte), pointer});
      }
    }
#endif
  }
}

}  // namespace warpfit::emulation

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  static_assert((std::is_trivially_copyable_v<Parameters> && ...), "kernel arguments are copied as bytes");
  return [&](Parameters... values) {
    std::vector<warpfit::emulation::PointerArgument> pointers;
    [[maybe_unused]] int index = 0;
    (warpfit::emulation::collect_pointers(pointers, index++, values), ...);
    return warpfit::emulation::launch(*config, reinterpret_cast<const void*>(kernel), std::move(pointers),
                                      [kernel, values...] { kernel(values...); });
  }(std::forward<Arguments>(arguments)...);
}

// What cuda_runtime.h offers to nvcc alone: a kernel by its name where the C interface takes its address.
template <class... Parameters>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Parameters...), cudaFuncAttribute attribute, int value) {
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), attribute, value);
}
template <class... Parameters>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, void (*kernel)(Parameters...)) {
  return cudaFuncGetAttributes(attributes, reinterpret_cast<const void*>(kernel));
}
template <class... Parameters>
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void (*kernel)(Parameters...),
                                                          int threads, std::size_t dynamic_shared) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessor(blocks, reinterpret_cast<const void*>(kernel), threads,
                                                       dynamic_shared);
}
