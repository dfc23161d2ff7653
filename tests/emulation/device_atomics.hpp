// Atomic operations of kernels. They are relaxed, as in CUDA: only the fences around them order memory.
#pragma once

#include <cstring>
#include <type_traits>

#include "tests/emulation/device_runtime.hpp"

namespace warpfit::emulation {

template <class T>
inline constexpr bool kHasAtomics =
    std::is_same_v<T, int> || std::is_same_v<T, unsigned> || std::is_same_v<T, unsigned long long> ||
    std::is_same_v<T, float> || std::is_same_v<T, double>;

template <class T, class F>
T atomically(T* address, F change) {
  static_assert(kHasAtomics<T>, "CUDA has no such atomic operation on this type");
  before_atomic(address);
  T before;
  T after;
  __atomic_load(address, &before, __ATOMIC_RELAXED);
  do {
    after = change(before);
  } while (!__atomic_compare_exchange(address, &before, &after, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  after_atomic(std::memcmp(&before, &after, sizeof before) != 0);
  return before;
}

}  // namespace warpfit::emulation

template <class T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
  return warpfit::emulation::atomically(address, [value](T old) { return static_cast<T>(old + value); });
}
template <class T>
T atomicSub(T* address, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T> && sizeof(T) == 4);
  return warpfit::emulation::atomically(address, [value](T old) { return static_cast<T>(old - value); });
}
template <class T>
T atomicMax(T* address, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>);
  return warpfit::emulation::atomically(address, [value](T old) { return old > value ? old : value; });
}
template <class T>
T atomicMin(T* address, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>);
  return warpfit::emulation::atomically(address, [value](T old) { return old < value ? old : value; });
}
template <class T>
T atomicExch(T* address, std::type_identity_t<T> value) {
  return warpfit::emulation::atomically(address, [value](T) { return value; });
}
template <class T>
T atomicCAS(T* address, std::type_identity_t<T> compare, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>);
  return warpfit::emulation::atomically(address, [=](T old) { return old == compare ? value : old; });
}
template <class T>
T atomicAnd(T* address, std::type_identity_t<T> value) {
  return warpfit::emulation::atomically(address, [value](T old) { return old & value; });
}
template <class T>
T atomicOr(T* address, std::type_identity_t<T> value) {
  return warpfit::emulation::atomically(address, [value](T old) { return old | value; });
}
template <class T>
T atomicXor(T* address, std::type_identity_t<T> value) {
  return warpfit::emulation::atomically(address, [value](T old) { return old ^ value; });
}
inline unsigned atomicInc(unsigned* address, unsigned limit) {
  return warpfit::emulation::atomically(address,
                                        [limit](unsigned old) { return old >= limit ? 0 : old + 1; });
}
inline unsigned atomicDec(unsigned* address, unsigned limit) {
  return warpfit::emulation::atomically(
      address, [limit](unsigned old) { return old == 0 || old > limit ? limit : old - 1; });
}
