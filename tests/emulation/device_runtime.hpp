// What the kernel-side headers (device_*.hpp) call: the border between instrumented kernels and the
// emulation.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "tests/emulation/emulation.hpp"

namespace warpfit::emulation {

/// A line of a kernel.
struct Place {
  const char* file;
  int line;
  bool operator==(const Place& other) const {
    return line == other.line && (file == other.file || std::strcmp(file, other.file) == 0);
  }
};

enum class BarrierKind : std::uint8_t { kPlain, kCount, kAnd, kOr };
/// One thread's call of __syncthreads or its kin.
struct BarrierRequest {
  BarrierKind kind;
  int predicate;
  Place place;
  int result = 0;
};
void block_barrier(BarrierRequest& request);

enum class WarpKind : std::uint8_t {
  kShuffle,
  kShuffleUp,
  kShuffleDown,
  kShuffleXor,
  kBallot,
  kAny,
  kAll,
  kSync,
  kMatchAny,
  kReduceAdd,
  kReduceMin,
  kReduceMax,
  kReduceMinSigned,
  kReduceMaxSigned,
  kReduceAnd,
  kReduceOr,
  kReduceXor,
};
/// One lane's part in an operation of its warp.
struct WarpRequest {
  WarpKind kind;
  std::uint32_t mask;
  int operand;  ///< source lane, distance or lane mask of a shuffle
  int width;
  std::uint64_t value;  ///< in: this lane's; out: the result
  Place place;
};
void warp_operation(WarpRequest& request);
std::uint32_t active_mask();

/// The running thread lets the others run; `progress` is false in a loop that waits.
void yield(const Place& place, bool progress);
/// Round each atomic operation: so that fences order through it, and so that a loop of them which changes
/// nothing (it waits for somebody) lets the others run.
void before_atomic(const volatile void* address);
void after_atomic(bool changed);
void fence();

/// Ends the kernel: the device keeps the error cudaErrorLaunchFailure, as CUDA has it.
[[noreturn]] void trap();
/// Nanoseconds that have passed on the device.
long long device_time();

/// A copy to shared memory that the running thread has begun and not waited for.
struct AsyncCopy {
  void* to;
  const void* from;
  std::size_t bytes;
};
void begin_copy(const AsyncCopy& copy);
/// Makes a group of those begun since the last one.
void commit_copies();
/// The oldest copy of a group, to be done now; false if only the newest `keep` groups are left.
bool take_copy(std::size_t keep, AsyncCopy& copy);

/// The identity of one shared array of one kernel (or helper): the same for all threads, another for each
/// array.
struct SharedArray {
  SharedArray();
  std::size_t number;
};
/// The running block's memory for it: the same address for all threads, filled with NaN for each block.
void* shared_memory(const SharedArray& array, std::size_t bytes, std::size_t alignment);
void* dynamic_shared_memory();

/// A pointer among a kernel's arguments, to be checked when it is launched and when it runs; or eight bytes
/// of an argument that is a structure, which may be one.
struct PointerArgument {
  int index;  ///< from 0
  int byte;   ///< in a structure; -1 for an argument that is a pointer
  const void* pointer;
};
/// cudaLaunchKernelEx of `kernel`, whose call by one thread is `body`.
cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel,
                   std::vector<PointerArgument> pointers, std::function<void()> body);

}  // namespace warpfit::emulation
