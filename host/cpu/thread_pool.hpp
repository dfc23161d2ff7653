// The threads of the CPU backend. Work is assigned to threads by index, so results do not depend on which
// thread is faster. An idle thread spins for some microseconds, about the time between two operations of a
// step, and then sleeps, so that on a busy machine other programs can use the processor.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

namespace warpfit::cpu {

/// Number of elements for which a pass takes some microseconds, the least for which several threads are
/// faster.
constexpr std::int64_t kMinElements = 8192;

class ThreadPool {
 public:
  /// Creates this many threads, including the calling one; fewer if the system provides no more.
  explicit ThreadPool(int threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  [[nodiscard]] int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls work(part) for each part < parts, which is at most threads(). Part 0 always runs on the calling
  /// thread, and each other part always on the same thread. Returns when all are done. Rethrows the exception
  /// of the first part that failed. Must not be called by two threads at the same time or from within work.
  template <class Work>
  void run(int parts, const Work& work) {
    if (parts <= 1) {
      work(0);
      return;
    }
    share({[](const void* what, int part) { (*static_cast<const Work*>(what))(part); }, &work, parts});
  }

  /// Calls work(first, end) for ranges that together cover [0, size), of at least `min_size` elements each,
  /// on as many threads as there are ranges.
  template <class Work>
  void split(std::int64_t size, std::int64_t min_size, const Work& work) {
    const auto parts = parts_for(size / min_size);
    run(parts, [&](int part) { work(size * part / parts, size * (part + 1) / parts); });
  }

  /// The number of threads to use for this many pieces of work: 1 to threads().
  [[nodiscard]] int parts_for(std::int64_t pieces) const {
    return pieces < 1 ? 1 : pieces < threads() ? static_cast<int>(pieces) : threads();
  }

 private:
  struct Task {
    void (*call)(const void* what, int part) = nullptr;
    const void* what = nullptr;
    int parts = 0;
  };

  void share(const Task& task);
  void serve(int part);
  void do_part(int part) noexcept;

  Task task_;
  std::atomic<unsigned> tasks_ = 0;    // number of tasks started; a change starts the next one
  std::atomic<unsigned> working_ = 0;  // number of threads that still work on the task
  bool stopped_ = false;
  std::vector<std::exception_ptr> failures_;  // of the current task, by part
  std::vector<std::thread> workers_;
};

}  // namespace warpfit::cpu
