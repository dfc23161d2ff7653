#include "host/parallel/watch.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <future>

namespace warpfit::test {
namespace {

using namespace std::chrono_literals;

// A process that sleeps.
class Sleeper {
 public:
  Sleeper() {
    std::array<char, 6> name{"sleep"};
    std::array<char, 4> seconds{"600"};
    const std::array<char*, 3> arguments{name.data(), seconds.data(), nullptr};
    EXPECT_EQ(posix_spawnp(&process, "sleep", nullptr, nullptr, arguments.data(), nullptr), 0);
  }
  ~Sleeper() {
    kill();
    waitpid(process, nullptr, 0);
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  void kill() const {
    ::kill(process, SIGKILL);
  }  // it stays a zombie, as that of a launcher that does nothing

  pid_t process = 0;
};

// Rank 0 of several, whose messages are given; its own is the first.
class GivenMessages final : public Communicator {
 public:
  explicit GivenMessages(std::vector<std::string> others) : others_(std::move(others)) {}
  [[nodiscard]] int rank() const override { return 0; }
  [[nodiscard]] int size() const override { return static_cast<int>(others_.size()) + 1; }
  [[nodiscard]] std::string description() const override { return "test"; }
  void sum(std::span<float>, SumOrder) override {}
  void broadcast(std::span<std::byte>, int) override {}
  [[nodiscard]] std::vector<std::string> gather(const std::string& message) override {
    std::vector<std::string> all{message};
    all.insert(all.end(), others_.begin(), others_.end());
    return all;
  }
  void end_others(ExitCode) noexcept override {}

 private:
  std::vector<std::string> others_;
};

class Watching : public testing::TestWithParam<bool> {  // whether it reads /proc
 protected:
  std::promise<std::pair<int, pid_t>> lost_;
  std::future<std::pair<int, pid_t>> result_ = lost_.get_future();
  RankWatch::OnLost on_lost_ = [this](int rank, pid_t process) { lost_.set_value({rank, process}); };
};

TEST_P(Watching, NoticesThatARankIsKilled) {
  const Sleeper first, second;
  GivenMessages ranks({process_identity(first.process), process_identity(second.process)});
  const RankWatch watch(ranks, on_lost_, GetParam());
  EXPECT_EQ(result_.wait_for(50ms), std::future_status::timeout);
  second.kill();
  ASSERT_EQ(result_.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(result_.get(), std::pair(2, second.process));
}

TEST_P(Watching, NoticesARankThatHasEndedBefore) {
  const Sleeper rank;
  GivenMessages ranks({process_identity(rank.process)});
  rank.kill();
  siginfo_t ignored;
  waitid(P_PID, static_cast<id_t>(rank.process), &ignored, WEXITED | WNOWAIT);
  const RankWatch watch(ranks, on_lost_, GetParam());
  ASSERT_EQ(result_.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(result_.get().first, 1);
}

TEST_P(Watching, TakesNoOtherProcessForARank) {
  const Sleeper other;  // with the number of a rank that started at another time
  GivenMessages ranks({process_identity(other.process) + "0"});
  const RankWatch watch(ranks, on_lost_, GetParam());
  ASSERT_EQ(result_.wait_for(10s), std::future_status::ready);
}

TEST_P(Watching, StopsWithItsOwner) {
  const Sleeper rank;
  GivenMessages ranks({process_identity(rank.process)});
  {
    RankWatch watch(ranks, on_lost_, GetParam());
    watch.finish();
    rank.kill();
    EXPECT_EQ(result_.wait_for(300ms), std::future_status::timeout);
  }
  const RankWatch unused(
      ranks, [](int, pid_t) {}, GetParam());
}

TEST_P(Watching, LeavesOutItselfAndOtherMachines) {
  const Sleeper rank;
  GivenMessages ranks({process_identity(getpid()), "another-machine pid:[1] 5 7", ""});
  const RankWatch watch(ranks, on_lost_, GetParam());
  EXPECT_EQ(result_.wait_for(300ms), std::future_status::timeout);
}

INSTANTIATE_TEST_SUITE_P(Ways, Watching, testing::Bool(),
                         [](const auto& way) { return way.param ? "proc" : "pidfd"; });

}  // namespace
}  // namespace warpfit::test
