#include "host/cpu/thread_pool.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>

namespace warpfit::cpu {
namespace {

using Clock = std::chrono::steady_clock;

// Longer than the time that one thread works alone between two parallel tasks, about 10 microseconds; shorter
// than anybody notices.
constexpr std::chrono::microseconds kPatience{50};

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Waits until the value differs from `old`.
void wait(const std::atomic<unsigned>& value, unsigned old) {
  constexpr int kTurns = 64;  // between two reads of the clock
  const auto end = Clock::now() + kPatience;
  do {
    for (int turn = 0; turn < kTurns; ++turn) {
      if (value.load(std::memory_order_acquire) != old) return;
      pause();
    }
  } while (Clock::now() < end);
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int threads) : failures_(static_cast<std::size_t>(threads)) {
  try {
    for (int part = 1; part < threads; ++part) workers_.emplace_back([this, part] { serve(part); });
  } catch (const std::system_error&) {  // no more threads are available: continue with fewer
  }
}

ThreadPool::~ThreadPool() {
  stopped_ = true;
  tasks_.fetch_add(1, std::memory_order_release);
  tasks_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ThreadPool::share(const Task& task) {
  task_ = task;
  working_.store(static_cast<unsigned>(workers_.size()), std::memory_order_relaxed);
  tasks_.fetch_add(1, std::memory_order_release);
  tasks_.notify_all();
  do_part(0);
  while (const unsigned left = working_.load(std::memory_order_acquire)) wait(working_, left);
  const auto failure = std::ranges::find_if(failures_, [](const auto& thrown) { return thrown != nullptr; });
  if (failure == failures_.end()) return;
  const auto first = *failure;
  std::ranges::fill(failures_, nullptr);
  std::rethrow_exception(first);
}

void ThreadPool::serve(int part) {
  for (unsigned seen = 0;; ++seen) {
    wait(tasks_, seen);
    if (stopped_) return;
    if (part < task_.parts) do_part(part);
    if (working_.fetch_sub(1, std::memory_order_acq_rel) == 1) working_.notify_one();
  }
}

void ThreadPool::do_part(int part) noexcept {
  try {
    task_.call(task_.what, part);
  } catch (...) {
    failures_[static_cast<std::size_t>(part)] = std::current_exception();
  }
}

}  // namespace warpfit::cpu
