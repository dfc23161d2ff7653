#include "host/parallel/thread_ranks.hpp"

#include <gtest/gtest.h>

#include "tests/parallel/collective_checks.hpp"
#include "tests/parallel/tcp_group.hpp"

namespace warpfit::test {
namespace {

class Collectives : public testing::TestWithParam<int> {};

TEST_P(Collectives, AgreeWithLoopsOnThreads) { EXPECT_NO_THROW(run_ranks(GetParam(), check_collectives)); }

TEST_P(Collectives, AgreeWithLoopsOverTcp) {
  EXPECT_EQ(run_tcp_ranks(GetParam(), check_collectives),
            std::vector<std::string>(static_cast<std::size_t>(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Ranks, Collectives, testing::Range(1, 6), testing::PrintToStringParamName());

TEST(ThreadRanks, AreReleasedWhenOneThrows) {
  const auto work = [](Communicator& ranks) {
    if (ranks.rank() == 1) throw DataError("broken");
    std::vector<float> values(3);
    EXPECT_THROW(ranks.sum(values, SumOrder::kTree), CommunicationError);
  };
  EXPECT_THROW(run_ranks(3, work), DataError);
}

TEST(ThreadRanks, AreReleasedWhenOneEndsTheOthers) {
  const auto work = [](Communicator& ranks) {
    if (ranks.rank() == 2) return ranks.end_others(ExitCode::kDevice);
    static_cast<void>(ranks.gather("waits"));
  };
  EXPECT_THROW(run_ranks(3, work), CommunicationError);
}

}  // namespace
}  // namespace warpfit::test
