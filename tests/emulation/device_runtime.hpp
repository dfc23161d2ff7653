// The functions that the kernel-side headers (device_*.hpp) call: the interface between instrumented kernels
// and the emulation.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "tests/emulation/emulation.hpp"

namespace warpfit::emulation {

/// A source line of a kernel.
struct SourceLocation {
  const char* file;
  int line;
  bool operator==(const SourceLocation& other) const {
    return line == other.line && (file == other.file || std::strcmp(file, other.file) == 0);
  }
};

enum class BarrierKind : std::uint8_t { kPlain, kCount, kAnd, kOr };
/// One thread's call of __syncthreads or one of its variants.
struct BarrierRequest {
  BarrierKind kind;
  int predicate;
  SourceLocation location;
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
/// One lane's request for a warp operation.
struct WarpRequest {
  WarpKind kind;
  std::uint32_t mask;
  int operand;  ///< source lane, distance or lane mask of a shuffle
  int width;
  std::uint64_t value;  ///< in: this lane's; out: the result
  SourceLocation location;
};
void warp_operation(WarpRequest& request);
std::uint32_t active_mask();

/// Lets other threads run; `progress` is false in a loop that waits.
void yield(const SourceLocation& location, bool progress);
/// Called before and after each atomic operation: fences take effect through these calls, and a loop of
/// atomics that change nothing (which waits for another thread) lets other threads run.
void before_atomic(const volatile void* address);
void after_atomic(bool changed);
void fence();

/// Ends the kernel; afterwards the device reports the error cudaErrorLaunchFailure, as in CUDA.
[[noreturn]] void trap();
/// Nanoseconds of the emulated device's clock.
long long device_time();

/// An asynchronous copy to shared memory that the running thread has started and not waited for.
struct AsyncCopy {
  void* to;
  const void* from;
  std::size_t bytes;
};
void begin_copy(const AsyncCopy& copy);
/// Makes a group of the copies started since the last group.
void commit_copies();
/// Removes the oldest copy of a group, which is to be executed now; returns false if at most the newest
/// `keep` groups are left.
bool take_copy(std::size_t keep, AsyncCopy& copy);

/// Identifies one shared array of one kernel (or device function): the same object for all threads.
struct SharedArray {
  SharedArray();
  std::size_t number;
};
/// The running block's memory for the array: the same address for all threads of the block, filled with NaN
/// at its start.
void* shared_memory(const SharedArray& array, std::size_t bytes, std::size_t alignment);
void* dynamic_shared_memory();

/// A pointer among a kernel's arguments, which is checked when the kernel is launched and again when it runs;
/// or eight bytes of a structure argument that may be a pointer.
struct PointerArgument {
  int index;  ///< of the argument, from 0
  int byte;   ///< offset in a structure; -1 for an argument that is a pointer
  const void* pointer;
};
/// cudaLaunchKernelEx of `kernel`; `body` calls it for one thread.
cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel,
                   std::vector<PointerArgument> pointers, std::function<void()> body);

}  // namespace warpfit::emulation
