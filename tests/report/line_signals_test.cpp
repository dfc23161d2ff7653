#include "host/report/line_signals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace warpfit::test {
namespace {

using Handler = void (*)(int);

Handler handler_of(int number) {
  struct sigaction action {};
  sigaction(number, nullptr, &action);
  return action.sa_handler;
}

class LineSignalsTest : public testing::Test {
 protected:
  void TearDown() override {
    signal(SIGHUP, hangup_);
    signal(SIGTERM, termination_);
  }
  Handler hangup_ = signal(SIGHUP, SIG_IGN);
  Handler termination_ = signal(SIGTERM, SIG_DFL);
};

TEST_F(LineSignalsTest, ReplaceTheDefaultActionAlone) {
  {
    const LineSignals signals;
    EXPECT_EQ(handler_of(SIGTERM), &erase_line_and_end);
    EXPECT_EQ(handler_of(SIGHUP), SIG_IGN);
  }
  EXPECT_EQ(handler_of(SIGTERM), SIG_DFL);
  EXPECT_EQ(handler_of(SIGHUP), SIG_IGN);
}

// Standard error is a file here, which has no foreground process.
TEST_F(LineSignalsTest, EraseNothingElsewhere) {
  const auto end_with_a_line = [] {
    LineSignals signals;
    signals.set_shown(true);
    raise(SIGTERM);
  };
  EXPECT_EXIT(end_with_a_line(), testing::KilledBySignal(SIGTERM), testing::Eq(""));
}

}  // namespace
}  // namespace warpfit::test
