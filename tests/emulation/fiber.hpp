// A fiber: a context with its own stack, which is resumed by a caller and suspends itself. Fibers can resume
// others.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "tests/emulation/sanitizer.hpp"

namespace warpfit::emulation {

class Fiber {
 public:
  static constexpr std::size_t kCudaThread = std::size_t{256} << 10;  ///< bytes of stack
  static constexpr std::size_t kHostThread = std::size_t{2} << 20;

  explicit Fiber(std::size_t stack = kCudaThread);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// The next resume() calls entry() on the fiber's stack; entry must end with finish().
  void start(void (*entry)());
  /// Runs the fiber until it suspends or finishes.
  void resume();
  /// Called on a fiber: returns to its resumer.
  static void suspend();
  [[noreturn]] static void finish();

  /// True if `address` is in the inaccessible page under this fiber's stack.
  bool overflowed(const void* address) const;
  /// False if the stack grew into the page under it, for fibers whose page is accessible (see the
  /// constructor).
  bool intact() const;

 private:
  /// The context that resumed this fiber.
  struct Resumer {
    Fiber* fiber = nullptr;  ///< null for the thread's own stack
    void* stack_pointer = nullptr;
    void* fake_stack = nullptr;
    const void* bottom = nullptr;
    std::size_t size = 0;
    void* context = nullptr;
  };
  static void begin();
  void leave(bool for_good);

  std::size_t stack_;
  std::size_t
      colour_;  ///< bytes left unused at the top, so that stacks do not compete for the same cache sets
  char* mapping_;
  bool guarded_;  ///< the page under the stack is inaccessible
  void* stack_pointer_ = nullptr;
  void* fake_stack_ = nullptr;
  void (*entry_)() = nullptr;
  Resumer resumer_;
  sanitizer::Context context_;
};

/// Fibers for CUDA threads. Without ThreadSanitizer the most recently returned fiber is reused first, because
/// its stack is in the cache. With ThreadSanitizer the one that has been unused longest is reused: a fiber
/// keeps the happens-before order of its last block, and one from a recent block would hide races between the
/// two blocks.
class FiberPool {
 public:
  Fiber* take();
  void give_back(Fiber* fiber);
  /// For a fiber that was suspended and will not be resumed.
  void abandon(Fiber* fiber);
  /// Prepares for a block of `count` threads; under ThreadSanitizer, twice as many fibers, so that `count`
  /// stay unused meanwhile.
  void reserve(std::size_t count);
  bool overflowed(const void* address) const;

 private:
  std::vector<std::unique_ptr<Fiber>> all_;
  std::deque<Fiber*> free_;
};

/// The context in which device work runs: under ThreadSanitizer a fiber of its own (a thread with a clock and
/// a stack, ordered with others only by tokens), otherwise the caller.
class Worker {
 public:
  Worker();
  /// Runs `work` to its end. Its exceptions are thrown again as new objects on the caller's side: the memory
  /// of an exception that one thread allocates and another frees would be reported as a race.
  void run(const std::function<void()>& work);

 private:
  std::unique_ptr<Fiber> fiber_;
};

}  // namespace warpfit::emulation
