#include "host/parallel/sum_thread.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "host/parallel/thread_ranks.hpp"

namespace warpfit::test {
namespace {

TEST(SumThreads, AddInTheOrderOfTheirCalls) {
  run_ranks(3, [](Communicator& communicator) {
    SumThread sums(communicator);
    std::vector<std::vector<float>> values;
    for (std::size_t i = 0; i < 20; ++i)
      values.emplace_back(1 + 100 * i, static_cast<float>(communicator.rank() + 1));
    for (auto& each : values) sums.start(each, SumOrder::kFastest);
    sums.wait();
    for (const auto& each : values) EXPECT_EQ(each, std::vector<float>(each.size(), 6));
  });
}

// Fails at its second sum.
class Failing final : public Communicator {
 public:
  [[nodiscard]] int rank() const override { return 0; }
  [[nodiscard]] int size() const override { return 2; }
  [[nodiscard]] std::string description() const override { return ""; }
  void sum(std::span<float> values, SumOrder) override {
    if (++sums_ == 2) throw CommunicationError("failed");
    values.front() += 1;
  }
  void broadcast(std::span<std::byte>, int) override {}
  [[nodiscard]] std::vector<std::string> gather(const std::string&) override { return {}; }
  void end_others(ExitCode) noexcept override {}

  [[nodiscard]] int sums() const { return sums_; }

 private:
  int sums_ = 0;
};

TEST(SumThreads, RunNothingAfterAFailure) {
  Failing communicator;
  SumThread sums(communicator);
  std::vector<float> value(1);
  for (int i = 0; i < 5; ++i) sums.start(value, SumOrder::kFastest);
  EXPECT_THROW(sums.wait(), CommunicationError);
  EXPECT_EQ(communicator.sums(), 2);
  EXPECT_EQ(value.front(), 1);
}

TEST(SumThreads, UseNoValuesOnceTheyAreAbandoned) {
  Failing communicator;
  SumThread sums(communicator);
  {
    std::vector<float> value(1);
    for (int i = 0; i < 5; ++i) sums.start(value, SumOrder::kFastest);
    sums.abandon();
  }
  sums.wait();
}

}  // namespace
}  // namespace warpfit::test
