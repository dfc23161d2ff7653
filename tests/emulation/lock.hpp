// The single lock of the emulated runtime. It is intentionally invisible to ThreadSanitizer: the program's
// threads are ordered by what CUDA guarantees, not by the emulation's own synchronization.
#pragma once

#include <atomic>
#include <thread>

namespace warpfit::emulation {

class Lock {
 public:
  /// True if the calling thread holds the lock: the call then comes from a host function or a kernel in the
  /// queued work.
  bool held_by_this_thread() const {
    return owner_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }
  void lock() {
    while (taken_.exchange(1, std::memory_order_acquire) != 0) taken_.wait(1, std::memory_order_relaxed);
    owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  }
  void unlock() {
    owner_.store(std::thread::id(), std::memory_order_relaxed);
    taken_.store(0, std::memory_order_release);
    taken_.notify_one();
  }

 private:
  std::atomic<int> taken_{0};
  std::atomic<std::thread::id> owner_{};
};

}  // namespace warpfit::emulation
