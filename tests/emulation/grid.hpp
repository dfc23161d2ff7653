// One launch of a kernel: runs its blocks one after another, or all concurrently in a cooperative launch.
#pragma once

#include <vector_types.h>

#include <cstddef>
#include <functional>
#include <string>

#include "tests/emulation/block.hpp"

namespace warpfit::emulation {

struct Launch {
  const char* name = "?";
  dim3 grid;
  dim3 block;
  std::size_t dynamic_shared = 0;
  std::size_t shared_limit = 0;
  bool cooperative = false;
};

/// Runs `body` once in each thread of the launch.
void run_grid(const Launch& launch, const std::function<void()>& body);

/// The running kernel, block and thread, for messages and for the kernel's calls; null outside a kernel.
struct Running {
  const Launch* launch = nullptr;
  Block* block = nullptr;
  Thread* thread = nullptr;
};
extern Running running_now;
inline Running& running() { return running_now; }
FiberPool& fibers();

/// Thrown by trap().
struct Trap {};

/// The entry function of fibers, which runs CUDA threads; then the function that rethrows their exceptions in
/// the resumer.
void run_threads();
extern bool failed;
[[noreturn]] void throw_failure();
inline void rethrow_failure() {
  if (failed) throw_failure();
}

/// "kernel f, block (0,0,0), thread (1,0,0): ", or as much of it as applies, as the prefix of a message.
std::string running_location();

/// ThreadSanitizer tokens of a launch: work before the launch happens before each of its threads, and each of
/// its threads happens before the end of the launch.
extern char launch_begin;
extern char launch_end;

}  // namespace warpfit::emulation
