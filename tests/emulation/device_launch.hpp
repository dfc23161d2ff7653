// cudaLaunchKernelEx for kernels that are ordinary functions. Arguments are copied at launch, as in CUDA.
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
    // Padding bytes may look like a pointer and are cleared first; compilers that cannot clear them (clang)
    // skip the check.
#if __has_builtin(__builtin_clear_padding)
    T cleared = argument;
    __builtin_clear_padding(&cleared);
    const char* bytes = reinterpret_cast<const char*>(&cleared);
    for (std::size_t byte = 0; byte + sizeof(void*) <= sizeof(T); byte += sizeof(void*)) {
      const void* pointer = nullptr;
      std::memcpy(&pointer, bytes + byte, sizeof pointer);
      // Values below the program's address range are numbers, or addresses of the sanitizers' shadow memory,
      // which is mapped too.
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

// cuda_runtime.h offers the overload that takes a kernel by name, instead of by address, to nvcc alone.
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
