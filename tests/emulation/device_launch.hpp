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
    const char* bytes = reinterpret_cast<const char*>(&argument);
    for (std::size_t byte = 0; byte + sizeof(void*) <= sizeof(T); byte += sizeof(void*)) {
      const void* pointer = nullptr;
      std::memcpy(&pointer, bytes + byte, sizeof pointer);
      if (reinterpret_cast<std::uintptr_t>(pointer) >> 32 != 0) {
        pointers.push_back({index, static_cast<int>(byte), pointer});
      }
    }
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
