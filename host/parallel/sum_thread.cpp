#include "host/parallel/sum_thread.hpp"

#include <system_error>
#include <utility>

namespace warpfit {

SumThread::SumThread(Communicator& communicator) : communicator_(communicator) {
  try {
    thread_ = std::thread([this] { serve(); });
  } catch (const std::system_error& error) {
    throw OutOfMemory(std::string("cannot start the thread that adds gradients: ") + error.what());
  }
}

SumThread::~SumThread() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void SumThread::start(std::span<float> values, SumOrder order) {
  {
    const std::lock_guard lock(mutex_);
    if (failure_) return;  // the other ranks would take it for the one that failed
    sums_.push_back({values, order});
  }
  changed_.notify_all();
}

void SumThread::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return sums_.empty(); });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void SumThread::abandon() noexcept {
  std::unique_lock lock(mutex_);
  if (!sums_.empty()) sums_.erase(sums_.begin() + 1, sums_.end());
  changed_.wait(lock, [this] { return sums_.empty(); });
  failure_ = nullptr;
}

void SumThread::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return !sums_.empty() || ended_; });
    if (ended_) return;
    const auto sum = sums_.front();
    lock.unlock();
    std::exception_ptr failure;
    try {
      communicator_.sum(sum.values, sum.order);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    sums_.pop_front();
    if (failure) {
      failure_ = failure;
      sums_.clear();
    }
    if (sums_.empty()) changed_.notify_all();
  }
}

}  // namespace warpfit
