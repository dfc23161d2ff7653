// The CPU backend's threads. Each piece of work is shared out by number, so results do not depend on which
// thread is faster. A thread without work turns for some microseconds, which is what lies between two
// operations of a step, and sleeps then: on a busy machine the processor goes to those that have work.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

namespace warpfit::cpu {

/// Numbers that a pass over them takes some microseconds for: what sharing out pays for.
constexpr std::int64_t kMinElements = 8192;

class ThreadPool {
 public:
  /// So many threads, the calling one among them; fewer where the system gives no more.
  explicit ThreadPool(int threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  [[nodiscard]] int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// work(part) for each part < parts, which is at most threads(); always part 0 by the calling thread and
  /// the others by the same one. Returns when all are done. Throws what the first of them threw. From one
  /// thread at a time, and not from within work.
  template <class Work>
  void run(int parts, const Work& work) {
    if (parts <= 1) {
      work(0);
      return;
    }
    share({[](const void* what, int part) { (*static_cast<const Work*>(what))(part); }, &work, parts});
  }

  /// work(first, end) for stretches that make up [0, size), of `min_size` or more each, and by as many
  /// threads as that gives.
  template <class Work>
  void split(std::int64_t size, std::int64_t min_size, const Work& work) {
    const auto parts = parts_for(size / min_size);
    run(parts, [&](int part) { work(size * part / parts, size * (part + 1) / parts); });
  }

  /// How many threads so many pieces of work keep busy: 1 to threads().
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
  std::atomic<unsigned> tasks_ = 0;    // given out; a change begins one
  std::atomic<unsigned> working_ = 0;  // workers that are not done with it
  bool stopped_ = false;
  std::vector<std::exception_ptr> failures_;  // of the task, by part
  std::vector<std::thread> workers_;
};

}  // namespace warpfit::cpu
