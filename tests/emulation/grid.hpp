// One launch of a kernel: runs its blocks, one after the other or, in a cooperative launch, all alive
// together.
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

/// Runs `body` once in each thread of `launch`.
void run_grid(const Launch& launch, const std::function<void()>& body);

/// What runs now, for messages and for the kernel's own calls; null outside a kernel.
struct Running {
  const Launch* launch = nullptr;
  Block* block = nullptr;
  Thread* thread = nullptr;
};
extern Running running_now;
inline Running& running() { return running_now; }
FiberPool& fibers();

/// What trap() throws.
struct Trap {};

/// The life of CUDA threads, on a fiber; then, on the side of who resumed it, what they threw.
void run_threads();
extern bool failed;
[[noreturn]] void throw_failure();
inline void rethrow_failure() {
  if (failed) throw_failure();
}

/// "kernel f, block (0,0,0), thread (1,0,0): " or less, for the front of a message.
std::string running_place();

/// Tokens by which a launch orders memory: what came before it, before each of its threads; these, before its
/// end.
extern char launch_begin;
extern char launch_end;

}  // namespace warpfit::emulation
