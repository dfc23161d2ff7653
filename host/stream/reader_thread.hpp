// A thread that runs one task after the other: made once, it serves all passes over a data set.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace warpfit {

class ReaderThread {
 public:
  /// Calls `begin` in the new thread first. Errors: OutOfMemory if the system has no thread to give.
  explicit ReaderThread(std::function<void()> begin);
  /// Waits for the task that runs.
  ~ReaderThread();
  ReaderThread(const ReaderThread&) = delete;
  ReaderThread& operator=(const ReaderThread&) = delete;

  /// Runs the task, which must not throw, in the thread. Only if none runs.
  void start(std::function<void()> task);
  /// Waits until the task is done, if one runs.
  void wait();

 private:
  void serve();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> task_;  // empty once it is done
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace warpfit
