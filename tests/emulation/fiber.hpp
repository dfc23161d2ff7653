// A fiber: a stack of its own that the scheduler resumes and that suspends itself. One runs at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <random>
#include <vector>

#include "tests/emulation/sanitizer.hpp"

namespace warpfit::emulation {

class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// The next resume() calls entry() on the fiber's stack; entry must end with finish().
  void start(void (*entry)());
  /// Runs the fiber until it suspends or finishes.
  void resume();
  /// Called on a fiber: goes back to whoever resumed it.
  static void suspend();
  [[noreturn]] static void finish();

  /// True if `address` is in a guard page of this fiber's stack.
  bool overflowed(const void* address) const;

 private:
  void leave(bool for_good);

  char* mapping_;
  void* stack_pointer_ = nullptr;
  void* fake_stack_ = nullptr;
  sanitizer::Context context_;
};

/// Fibers for reuse. Without the thread sanitizer the one that came back last goes first (its stack is in the
/// cache); with it, a random one, so that no two CUDA threads that could race are one thread to the sanitizer
/// for long.
class FiberPool {
 public:
  Fiber* take();
  void give_back(Fiber* fiber);
  /// For a fiber that was left in the middle of its work.
  void abandon(Fiber* fiber);
  /// Makes sure that a choice is left when `count` are taken.
  void reserve(std::size_t count);
  bool overflowed(const void* address) const;

 private:
  std::vector<std::unique_ptr<Fiber>> all_;
  std::vector<Fiber*> free_;
  std::minstd_rand random_{1};
};

}  // namespace warpfit::emulation
