#include "host/stream/reader_thread.hpp"

#include <fmt/core.h>

#include <system_error>
#include <utility>

#include "host/base/error.hpp"

namespace warpfit {

ReaderThread::ReaderThread(std::function<void()> begin) : task_(std::move(begin)) {
  try {
    thread_ = std::thread([this] { serve(); });
  } catch (const std::system_error& error) {
    throw OutOfMemory(
        fmt::format("cannot start the thread that reads data: {}; end other programs, or raise the limits of "
                    "processes and memory (ulimit -u, ulimit -v)",
                    error.code().message()));
  }
}

ReaderThread::~ReaderThread() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ReaderThread::start(std::function<void()> task) {
  wait();
  {
    const std::lock_guard lock(mutex_);
    task_ = std::move(task);
  }
  changed_.notify_all();
}

void ReaderThread::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !task_; });
}

void ReaderThread::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return task_ || ended_; });
    if (!task_) return;
    lock.unlock();
    task_();
    lock.lock();
    task_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace warpfit
