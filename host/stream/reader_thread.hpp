// A thread that runs one task after another. One thread is used for all passes over a data set.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace warpfit {

class ReaderThread {
 public:
  /// Starts the thread, which first calls `begin`. Errors: OutOfMemory if the thread cannot be created.
  explicit ReaderThread(std::function<void()> begin);
  /// Waits for the running task.
  ~ReaderThread();
  ReaderThread(const ReaderThread&) = delete;
  ReaderThread& operator=(const ReaderThread&) = delete;

  /// Runs the task, which must not throw, in the thread. No other task may be running.
  void start(std::function<void()> task);
  /// Waits until the running task, if any, is done.
  void wait();

 private:
  void serve();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> task_;  // empty after it has run
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace warpfit
