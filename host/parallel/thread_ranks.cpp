#include "host/parallel/thread_ranks.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

namespace warpfit {
namespace {

// What the ranks share. A collective function has two meetings: before the first one each rank announces what
// it passes, and between the two each rank may read what the others passed.
class Meeting {
 public:
  explicit Meeting(int ranks) : announced_(static_cast<std::size_t>(ranks)) {}

  // Waits until all ranks have called it. Errors: CommunicationError if one of them has ended.
  void meet() {
    std::unique_lock lock(mutex_);
    const auto round = round_;
    if (++arrived_ == announced_.size()) {
      arrived_ = 0;
      ++round_;
      changed_.notify_all();
    }
    changed_.wait(lock, [&] { return round_ != round || ended_; });
    if (round_ == round) throw CommunicationError("another rank has ended");
  }
  void end() noexcept {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  const void*& announced(int rank) { return announced_[static_cast<std::size_t>(rank)]; }
  template <class T>
  const T& of(int rank) {
    return *static_cast<const T*>(announced(rank));
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t arrived_ = 0, round_ = 0;
  bool ended_ = false;
  std::vector<const void*> announced_;  // by rank
};

class ThreadRank final : public Communicator {
 public:
  ThreadRank(Meeting& meeting, int rank, int size) : meeting_(meeting), rank_(rank), size_(size) {}

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }
  [[nodiscard]] std::string description() const override { return "threads"; }

  // Always in a tree; with an odd number of ranks, the last one is added as it is.
  void sum(std::span<float> values, SumOrder) override {
    const std::vector<float> own(values.begin(), values.end());
    exchange(own, [&] {
      std::vector<std::vector<float>> sums;
      for (int rank = 0; rank < size_; ++rank) sums.push_back(meeting_.of<std::vector<float>>(rank));
      for (; sums.size() > 1; sums.resize((sums.size() + 1) / 2)) {
        for (std::size_t i = 0; i < sums.size(); i += 2) {
          if (i + 1 < sums.size()) std::ranges::transform(sums[i], sums[i + 1], sums[i].begin(), std::plus());
          if (i > 0) sums[i / 2] = std::move(sums[i]);
        }
      }
      std::ranges::copy(sums.front(), values.begin());
    });
  }
  void broadcast(std::span<std::byte> data, int root) override {
    exchange(data, [&] {
      if (rank_ != root) std::ranges::copy(meeting_.of<std::span<std::byte>>(root), data.begin());
    });
  }
  [[nodiscard]] std::vector<std::string> gather(const std::string& message) override {
    std::vector<std::string> messages;
    exchange(message, [&] {
      for (int rank = 0; rank < size_; ++rank) messages.push_back(meeting_.of<std::string>(rank));
    });
    return messages;
  }
  void end_others(ExitCode) noexcept override { meeting_.end(); }

 private:
  template <class T, class Read>
  void exchange(const T& own, const Read& read) {
    meeting_.announced(rank_) = &own;
    meeting_.meet();
    read();
    meeting_.meet();
  }

  Meeting& meeting_;
  int rank_, size_;
};

}  // namespace

void run_ranks(int ranks, const std::function<void(Communicator&)>& work) {
  Meeting meeting(ranks);
  std::mutex mutex;
  std::exception_ptr failure;  // the first one
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadRank communicator(meeting, rank, ranks);
      try {
        work(communicator);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        meeting.end();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace warpfit
