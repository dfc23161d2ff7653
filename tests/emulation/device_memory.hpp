// Memory of kernels: shared arrays, and loads and stores with a cache hint.
#pragma once

#include <type_traits>

#include "tests/emulation/device_runtime.hpp"

#define __launch_bounds__(...)

// Without this, __shared__ would silently give each thread an array of its own.
#undef __shared__
#define __shared__ static_assert(false, "declare shared memory with SHARED_ARRAY or DYNAMIC_SHARED");

// Under nvcc: __shared__ T name[]; and extern __shared__ T name[]; Here each block gets a new array filled
// with NaN, aligned only as CUDA guarantees: to T, or to 16 bytes for dynamic shared memory.
#define SHARED_ARRAY(T, name, ...) \
  struct name##_identity {};       \
  auto& name = ::warpfit::emulation::shared_array<T[__VA_ARGS__], name##_identity>()
#define DYNAMIC_SHARED(T, name) T* name = static_cast<T*>(::warpfit::emulation::dynamic_shared_memory())

namespace warpfit::emulation {
template <class Array, class Identity>
Array& shared_array() {
  static const SharedArray array;
  return *static_cast<Array*>(shared_memory(array, sizeof(Array), alignof(Array)));
}
}  // namespace warpfit::emulation

// The asynchronous copies of <cuda_pipeline.h>, executed as late as allowed: when the thread waits for their
// group.
inline void __pipeline_memcpy_async(void* to, const void* from, std::size_t bytes) {
  warpfit::emulation::begin_copy({to, from, bytes});
}
inline void __pipeline_commit() { warpfit::emulation::commit_copies(); }
inline void __pipeline_wait_prior(std::size_t groups) {
  warpfit::emulation::AsyncCopy copy{};
  while (warpfit::emulation::take_copy(groups, copy)) std::memcpy(copy.to, copy.from, copy.bytes);
}

template <class T>
T __ldg(const T* address) {
  return *address;
}
template <class T>
T __ldcs(const T* address) {
  return *address;
}
template <class T>
T __ldcg(const T* address) {
  return *address;
}
template <class T>
T __ldca(const T* address) {
  return *address;
}
template <class T>
T __ldlu(const T* address) {
  return *address;
}
template <class T>
T __ldcv(const T* address) {
  return *static_cast<const volatile T*>(address);
}
template <class T>
void __stcs(T* address, std::type_identity_t<T> value) {
  *address = value;
}
template <class T>
void __stcg(T* address, std::type_identity_t<T> value) {
  *address = value;
}
template <class T>
void __stwb(T* address, std::type_identity_t<T> value) {
  *address = value;
}
template <class T>
void __stwt(T* address, std::type_identity_t<T> value) {
  *address = value;
}
