// A fiber: a stack of its own that somebody resumes and that suspends itself. Fibers may resume others.
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
  /// Called on a fiber: goes back to whoever resumed it.
  static void suspend();
  [[noreturn]] static void finish();

  /// True if `address` is in the closed page under this fiber's stack.
  bool overflowed(const void* address) const;
  /// False if the stack grew into the page under it where that page is not closed (see the constructor).
  bool intact() const;

 private:
  /// Whoever resumed this fiber.
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
  std::size_t colour_;  ///< bytes left out at the top, so that stacks do not share their places in the cache
  char* mapping_;
  bool guarded_;  ///< the page under the stack is closed
  void* stack_pointer_ = nullptr;
  void* fake_stack_ = nullptr;
  void (*entry_)() = nullptr;
  Resumer resumer_;
  sanitizer::Context context_;
};

/// Fibers for CUDA threads. Without the thread sanitizer the one that came back last goes first: its stack is
/// in the cache. With it, the one that has rested longest: it knows of no block but old ones, while one of
/// the last block would bring along all that this block knew, and hide races between the two.
class FiberPool {
 public:
  Fiber* take();
  void give_back(Fiber* fiber);
  /// For a fiber that was left in the middle of its work.
  void abandon(Fiber* fiber);
  /// For a block of `count` threads; for the thread sanitizer as many rest meanwhile.
  void reserve(std::size_t count);
  bool overflowed(const void* address) const;

 private:
  std::vector<std::unique_ptr<Fiber>> all_;
  std::deque<Fiber*> free_;
};

/// What device work runs as: under the thread sanitizer a fiber of its own (a thread with a clock and a
/// stack, ordered with others by tokens alone), else simply the caller.
class Worker {
 public:
  Worker();
  /// Calls `work` to its end. What it throws is thrown anew on this side: an exception's memory, made by one
  /// thread and freed by another, would be a race.
  void run(const std::function<void()>& work);

 private:
  std::unique_ptr<Fiber> fiber_;
};

}  // namespace warpfit::emulation
