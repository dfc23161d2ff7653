// Threads as a kernel sees them: indices, block barriers, fences, waiting.
#pragma once

#include <vector_types.h>

#include <chrono>

#include "tests/emulation/device_runtime.hpp"

// Set whenever a thread is resumed.
inline uint3 threadIdx{};
inline uint3 blockIdx{};
inline dim3 blockDim{};
inline dim3 gridDim{};
inline constexpr int warpSize = 32;

namespace warpfit::emulation {
inline int barrier(BarrierKind kind, int predicate, const char* file, int line) {
  BarrierRequest request{kind, predicate, {file, line}};
  block_barrier(request);
  return request.result;
}
}  // namespace warpfit::emulation

inline void __syncthreads(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  warpfit::emulation::barrier(warpfit::emulation::BarrierKind::kPlain, 0, file, line);
}
inline int __syncthreads_count(int predicate, const char* file = __builtin_FILE(),
                               int line = __builtin_LINE()) {
  return warpfit::emulation::barrier(warpfit::emulation::BarrierKind::kCount, predicate, file, line);
}
inline int __syncthreads_and(int predicate, const char* file = __builtin_FILE(),
                             int line = __builtin_LINE()) {
  return warpfit::emulation::barrier(warpfit::emulation::BarrierKind::kAnd, predicate, file, line);
}
inline int __syncthreads_or(int predicate, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return warpfit::emulation::barrier(warpfit::emulation::BarrierKind::kOr, predicate, file, line);
}

inline void __threadfence() { warpfit::emulation::fence(); }
inline void __threadfence_block() { warpfit::emulation::fence(); }
inline void __threadfence_system() { warpfit::emulation::fence(); }

inline void __nanosleep(unsigned, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  warpfit::emulation::yield({file, line}, false);
}

inline long long clock64() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

/// Replaces the register %globaltimer; in nanoseconds: see Runtime::device_time.
inline long long emulated_globaltimer() { return warpfit::emulation::device_time(); }

[[noreturn]] inline void __trap() { warpfit::emulation::trap(); }
