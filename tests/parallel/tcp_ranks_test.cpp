#include "host/parallel/tcp_ranks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "tests/parallel/tcp_group.hpp"

namespace warpfit::test {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

float sum_of(Communicator& ranks, float value, SumOrder order) {
  std::vector<float> values{value};
  ranks.sum(values, order);
  return values[0];
}

TEST(TcpRanks, AddInTheOrderOfTheRanksOrInATree) {
  constexpr float kBig = 16'777'216;  // 2^24: adding 1 to it gives 2^24 again
  const auto work = [&](Communicator& ranks) {
    const float value = ranks.rank() == 0 ? kBig : 1;
    EXPECT_EQ(sum_of(ranks, value, SumOrder::kFastest), kBig);
    EXPECT_EQ(sum_of(ranks, value, SumOrder::kTree), kBig + 2);
  };
  EXPECT_THAT(run_tcp_ranks(4, work), Each(""));
}

TEST(TcpRanks, SayWhereTheyMeet) {
  const auto work = [](Communicator& ranks) {
    EXPECT_THAT(ranks.description(), HasSubstr("TCP (rank 0 at 127.0.0.1:"));
    EXPECT_EQ(ranks.size(), 2);
  };
  EXPECT_THAT(run_tcp_ranks(2, work), Each(""));
}

TEST(TcpRanks, AreReleasedWhenOneThrows) {
  for (const int thrower : {0, 1, 2}) {
    const auto work = [&](Communicator& ranks) {
      if (ranks.rank() == thrower) throw DataError("broken");
      const auto error = error_of([&] { sum_of(ranks, 1, SumOrder::kTree); });
      EXPECT_EQ(error, "rank " + std::to_string(thrower) + " has ended unexpectedly");
      EXPECT_THROW(static_cast<void>(ranks.gather("")), CommunicationError);
    };
    EXPECT_EQ(run_tcp_ranks(3, work)[static_cast<std::size_t>(thrower)], "broken");
  }
}

TEST(TcpRanks, LearnTheExitCodeOfTheRankThatEndsThem) {
  for (const int first : {0, 1, 2}) {
    std::atomic<int> ended = 0;
    const auto work = [&](Communicator& ranks) {
      if (ranks.rank() == first) ranks.end_others(ExitCode::kDevice);
      for (;;) static_cast<void>(ranks.gather("until it fails"));
    };
    const auto change = [&](TcpOptions& options) {
      options.on_ended = [&, rank = options.rank](const std::string& message, ExitCode code) {
        EXPECT_NE(rank, first);
        EXPECT_EQ(code, ExitCode::kDevice);
        EXPECT_EQ(message, "rank " + std::to_string(first) + " has ended with exit code 6");
        ++ended;
      };
    };
    run_tcp_ranks(3, work, change);
    EXPECT_EQ(ended, 2);
  }
}

TEST(TcpRanks, MayEndAtDifferentTimes) {
  std::atomic<int> failures = 0;
  const auto work = [](Communicator& ranks) {
    static_cast<void>(ranks.gather("the last"));
    std::this_thread::sleep_for(30ms * ranks.rank());
  };
  const auto change = [&](TcpOptions& options) {
    options.on_ended = [&](const std::string&, ExitCode) { ++failures; };
  };
  EXPECT_THAT(run_tcp_ranks(4, work, change), Each(""));
  EXPECT_EQ(failures, 0);
}

TEST(TcpRanks, SayThatAnotherHasEndedBefore) {
  const auto work = [](Communicator& ranks) {
    if (ranks.rank() == 0) sum_of(ranks, 1, SumOrder::kTree);
  };
  EXPECT_THAT(run_tcp_ranks(2, work), ElementsAre("rank 1 has ended before this one", ""));
}

TEST(TcpRanks, RefuseCallsThatDoNotMatch) {
  const auto work = [](Communicator& ranks) {
    if (ranks.rank() == 0) sum_of(ranks, 1, SumOrder::kTree);
    if (ranks.rank() == 1) static_cast<void>(ranks.gather("four"));  // as many bytes as a float
  };
  EXPECT_THAT(run_tcp_ranks(2, work)[0], HasSubstr("rank 1 calls another function"));
}

TEST(TcpRanks, DoNotWaitForEachOtherWithLargeSums) {
  const auto work = [](Communicator& ranks) {
    std::vector<float> values(4'000'000, 1);  // larger than all buffers of the sockets
    ranks.sum(values, SumOrder::kFastest);
    EXPECT_TRUE(std::ranges::all_of(values, [](float value) { return value == 3; }));
  };
  EXPECT_THAT(run_tcp_ranks(3, work), Each(""));
}

}  // namespace
}  // namespace warpfit::test
