// Sums over ranks that run in a thread of their own while the caller goes on computing.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <span>
#include <thread>

#include "host/parallel/communicator.hpp"

namespace warpfit {

class SumThread {
 public:
  /// The communicator must outlive the thread. Errors: OutOfMemory if the system provides no thread.
  explicit SumThread(Communicator& communicator);
  SumThread(const SumThread&) = delete;
  SumThread& operator=(const SumThread&) = delete;
  ~SumThread();

  /// Starts Communicator::sum of `values`, which belong to the thread until wait() returns. Sums run in the
  /// order in which they were started.
  void start(std::span<float> values, SumOrder order);
  /// Waits for all sums. Rethrows the error of the first one that failed; the sums after it have not run.
  void wait();
  /// Returns when no sum uses the callers' values any more, without running those that have not begun. For
  /// callers that have failed.
  void abandon() noexcept;

 private:
  struct Sum {
    std::span<float> values;
    SumOrder order;
  };

  void serve();

  Communicator& communicator_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Sum> sums_;  // the first one is running
  std::exception_ptr failure_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace warpfit
