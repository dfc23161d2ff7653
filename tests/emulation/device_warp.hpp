// Warps as a kernel sees them: shuffles, votes, reductions. Only __syncwarp orders memory.
#pragma once

#include <cstring>
#include <type_traits>

#include "tests/emulation/device_runtime.hpp"

namespace warpfit::emulation {

template <class T>
T exchange(WarpKind kind, unsigned mask, T value, int operand, int width, const char* file, int line) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8, "CUDA shuffles values of up to 8 bytes");
  WarpRequest request{kind, mask, operand, width, 0, {file, line}};
  std::memcpy(&request.value, &value, sizeof value);
  warp_operation(request);
  std::memcpy(&value, &request.value, sizeof value);
  return value;
}

inline unsigned vote(WarpKind kind, unsigned mask, int predicate, const char* file, int line) {
  return exchange<unsigned>(kind, mask, predicate != 0, 0, 32, file, line);
}

}  // namespace warpfit::emulation

inline void __syncwarp(unsigned mask = ~0u, const char* file = __builtin_FILE(),
                       int line = __builtin_LINE()) {
  warpfit::emulation::vote(warpfit::emulation::WarpKind::kSync, mask, 0, file, line);
}
inline unsigned __activemask() { return warpfit::emulation::active_mask(); }

inline unsigned __ballot_sync(unsigned mask, int predicate, const char* file = __builtin_FILE(),
                              int line = __builtin_LINE()) {
  return warpfit::emulation::vote(warpfit::emulation::WarpKind::kBallot, mask, predicate, file, line);
}
inline int __any_sync(unsigned mask, int predicate, const char* file = __builtin_FILE(),
                      int line = __builtin_LINE()) {
  return static_cast<int>(
      warpfit::emulation::vote(warpfit::emulation::WarpKind::kAny, mask, predicate, file, line));
}
inline int __all_sync(unsigned mask, int predicate, const char* file = __builtin_FILE(),
                      int line = __builtin_LINE()) {
  return static_cast<int>(
      warpfit::emulation::vote(warpfit::emulation::WarpKind::kAll, mask, predicate, file, line));
}
template <class T>
unsigned __match_any_sync(unsigned mask, T value, const char* file = __builtin_FILE(),
                          int line = __builtin_LINE()) {
  unsigned long long bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return static_cast<unsigned>(
      warpfit::emulation::exchange(warpfit::emulation::WarpKind::kMatchAny, mask, bits, 0, 32, file, line));
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, const char* file = __builtin_FILE(),
              int line = __builtin_LINE()) {
  return warpfit::emulation::exchange(warpfit::emulation::WarpKind::kShuffle, mask, value, source, width,
                                      file, line);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = 32,
                 const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return warpfit::emulation::exchange(warpfit::emulation::WarpKind::kShuffleUp, mask, value,
                                      static_cast<int>(distance), width, file, line);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = 32,
                   const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return warpfit::emulation::exchange(warpfit::emulation::WarpKind::kShuffleDown, mask, value,
                                      static_cast<int>(distance), width, file, line);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32, const char* file = __builtin_FILE(),
                  int line = __builtin_LINE()) {
  return warpfit::emulation::exchange(warpfit::emulation::WarpKind::kShuffleXor, mask, value, lane_mask,
                                      width, file, line);
}

inline unsigned __reduce_add_sync(unsigned mask, unsigned value, const char* file = __builtin_FILE(),
                                  int line = __builtin_LINE()) {
  return warpfit::emulation::exchange(warpfit::emulation::WarpKind::kReduceAdd, mask, value, 0, 32, file,
                                      line);
}
inline int __reduce_add_sync(unsigned mask, int value, const char* file = __builtin_FILE(),
                             int line = __builtin_LINE()) {
  return warpfit::emulation::exchange(warpfit::emulation::WarpKind::kReduceAdd, mask, value, 0, 32, file,
                                      line);
}
inline unsigned __reduce_min_sync(unsigned mask, unsigned value, const char* file = __builtin_FILE(),
                                  int line = __builtin_LINE()) {
  return warpfit::emulation::exchange(warpfit::emulation::WarpKind::kReduceMin, mask, value, 0, 32, file,
                                      line);
}
inline int __reduce_min_sync(unsigned mask, int value, const char* file = __builtin_FILE(),
                             int line = __builtin_LINE()) {
  return warpfit::emulation::exchange(warpfit::emulation::WarpKind::kReduceMinSigned, mask, value, 0, 32,
                                      file, line);
}
inline unsigned __reduce_max_sync(unsigned mask, unsigned value, const char* file = __builtin_FILE(),
                                  int line = __builtin_LINE()) {
  return warpfit::emulation::exchange(warpfit::emulation::WarpKind::kReduceMax, mask, value, 0, 32, file,
                                      line);
}
inline int __reduce_max_sync(unsigned mask, int value, const char* file = __builtin_FILE(),
                             int line = __builtin_LINE()) {
  return warpfit::emulation::exchange(warpfit::emulation::WarpKind::kReduceMaxSigned, mask, value, 0, 32,
                                      file, line);
}
inline unsigned __reduce_and_sync(unsigned mask, unsigned value, const char* file = __builtin_FILE(),
                                  int line = __builtin_LINE()) {
  return warpfit::emulation::exchange(warpfit::emulation::WarpKind::kReduceAnd, mask, value, 0, 32, file,
                                      line);
}
inline unsigned __reduce_or_sync(unsigned mask, unsigned value, const char* file = __builtin_FILE(),
                                 int line = __builtin_LINE()) {
  return warpfit::emulation::exchange(warpfit::emulation::WarpKind::kReduceOr, mask, value, 0, 32, file,
                                      line);
}
inline unsigned __reduce_xor_sync(unsigned mask, unsigned value, const char* file = __builtin_FILE(),
                                  int line = __builtin_LINE()) {
  return warpfit::emulation::exchange(warpfit::emulation::WarpKind::kReduceXor, mask, value, 0, 32, file,
                                      line);
}
