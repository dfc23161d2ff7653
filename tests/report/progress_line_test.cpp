#include "host/report/progress_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "host/model/network_plan.hpp"
#include "host/report/log.hpp"
#include "tests/support/terminal_screen.hpp"

namespace warpfit::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::SizeIs;

constexpr Progress kHalfway{.epoch = 3,
                            .epochs = 10,
                            .share = 0.52,
                            .loss = 0.48213F,
                            .accuracy = 0.851,
                            .samples_per_second = 1'234'567,
                            .seconds_left = 33.2};

TEST(ProgressText, LeavesOutWhatDoesNotFit) {
  EXPECT_EQ(
      progress_text(kHalfway, 120),
      "epoch 3/10  [==========>         ]  52%  loss 0.4821  accuracy 85.1%  1.23M samples/s  0:34 left");
  EXPECT_EQ(progress_text(kHalfway, 79),
            "epoch 3/10  52%  loss 0.4821  accuracy 85.1%  1.23M samples/s  0:34 left");
  EXPECT_EQ(progress_text(kHalfway, 60), "epoch 3/10  52%  loss 0.4821  accuracy 85.1%  0:34 left");
  EXPECT_EQ(progress_text(kHalfway, 49), "epoch 3/10  [===>  ]  52%  loss 0.4821  0:34 left");
  EXPECT_EQ(progress_text(kHalfway, 39), "epoch 3/10  52%  loss 0.4821  0:34 left");
  EXPECT_EQ(progress_text(kHalfway, 10), "52%");
  for (std::size_t width = 1; width < 200; ++width) EXPECT_LE(progress_text(kHalfway, width).size(), width);
}

TEST(ProgressText, SaysNothingThatIsNotKnown) {
  EXPECT_EQ(progress_text({.epoch = 1, .epochs = 2}, 79), "epoch 1/2  [>                   ]  0%");
  EXPECT_EQ(progress_text(
                {.epoch = 2, .epochs = 2, .share = 1, .samples_per_second = 999.4, .seconds_left = 3661}, 79),
            "epoch 2/2  [====================]  100%  999 samples/s  1:01:01 left");
}

// Prints the losses as Console does.
class Lines final : public Report {
 public:
  explicit Lines(TerminalScreen& screen) : screen_(screen) {}
  void loss(const LossReport& report) override {
    screen_.write("loss " + std::to_string(report.seen) + "\r\n");
  }
  void done() override { screen_.write("Done!\r\n"); }

 private:
  TerminalScreen& screen_;
};

class ProgressOnAScreen : public testing::Test {
 protected:
  void SetUp() override {
    progress_.emplace(lines_,
                      ProgressReport::Terminal{[this](std::string_view text) {
                                                 screen_.write(text);
                                                 if (text.starts_with("epoch")) ++drawings_;
                                               },
                                               [this] { return columns_; }, [this] { return now_.load(); },
                                               [this] { return is_foreground_.load(); }});
    progress_->run_started({.plan = plan_, .data = {}, .device = {}, .options = {}, .epochs = 4});
  }
  void loss(std::int64_t epoch, std::int64_t seen, std::int64_t skipped = 0) {
    LossReport report;
    report.loss = 1;
    report.seen = seen;
    report.trained = seen - skipped;
    report.samples = 1000;
    report.epoch = epoch;
    report.seconds = 1;
    progress_->loss(report);
  }
  void pass(std::chrono::milliseconds time) { now_ = now_.load() + time; }

  NetworkPlan plan_ = plan_network(multilayer_perceptron({4, 2}));
  std::size_t columns_ = 80;
  TerminalScreen screen_{columns_};
  Lines lines_{screen_};
  std::atomic<ProgressReport::Clock::time_point> now_{ProgressReport::Clock::time_point(1h)};
  std::atomic<bool> is_foreground_ = true;
  int drawings_ = 0;
  std::optional<ProgressReport> progress_;
};

TEST_F(ProgressOnAScreen, IsBelowTheTextAndGoneAtTheEnd) {
  progress_->epoch_started(1);
  pass(1s);
  loss(1, 250);
  EXPECT_THAT(screen_.lines(), testing::ElementsAre("loss 250", HasSubstr("epoch 1/4  [=====>")));
  EXPECT_THAT(screen_.lines().back(), HasSubstr("25%  loss 1.0000  250 samples/s  0:15 left"));
  pass(1s);
  loss(1, 500);
  progress_->done();
  EXPECT_THAT(screen_.lines(), testing::ElementsAre("loss 250", "loss 500", "Done!", ""));
}

TEST_F(ProgressOnAScreen, IsErasedWhenTheRunFails) {
  progress_->epoch_started(1);
  pass(1s);
  loss(1, 250);
  progress_.reset();
  EXPECT_THAT(screen_.lines(), testing::ElementsAre("loss 250", ""));
}

// The clock is simulated: further events at the same time draw nothing.
TEST_F(ProgressOnAScreen, IsDrawnTenTimesASecondAtMost) {
  progress_->epoch_started(1);
  for (int i = 0; i < 1000; ++i) {
    loss(1, i);
    pass(1ms);
  }
  const int drawings = drawings_;  // drawings by the reports and by the thread that draws what they deferred
  EXPECT_GE(drawings, 2);
  EXPECT_LE(drawings, 11);
}

TEST_F(ProgressOnAScreen, IsDrawnLaterIfTheLastTimeWasTooRecent) {
  progress_->epoch_started(1);
  loss(1, 1);  // erases it
  pass(100ms);
  std::this_thread::sleep_for(1s);  // until the drawing thread looks at the clock again
  progress_->done();                // waits for that thread
  EXPECT_EQ(drawings_, 2);
}

TEST_F(ProgressOnAScreen, IsNotDrawnAfterTheEnd) {
  progress_->epoch_started(1);
  loss(1, 1);  // defers a drawing
  progress_->done();
  pass(1s);
  std::this_thread::sleep_for(500ms);  // until the drawing thread has looked at the clock again
  progress_.reset();                   // waits for that thread
  EXPECT_EQ(drawings_, 1);
  EXPECT_THAT(screen_.lines(), testing::ElementsAre("loss 1", "Done!", ""));
}

TEST_F(ProgressOnAScreen, CountsTheTimeOfAResumedRunFromItsStartHere) {
  progress_->epoch_started(3);
  loss(3, 500, 500);
  pass(10s);
  loss(3, 750, 500);
  EXPECT_THAT(screen_.lines().back(), HasSubstr("0:50 left"));  // 0.25 epochs in 10 s, 1.25 to go
}

TEST_F(ProgressOnAScreen, FitsIntoAWindowThatIsResized) {
  progress_->epoch_started(1);
  columns_ = 24;
  pass(1s);
  loss(1, 250);
  EXPECT_LT(screen_.lines().back().size(), 24U);
  columns_ = 5;  // too narrow for anything
  pass(1s);
  loss(1, 500);
  EXPECT_EQ(screen_.lines().back(), "");
}

// The shell's prompt is where the line was.
TEST_F(ProgressOnAScreen, LeavesTheTerminalAloneInTheBackground) {
  progress_->epoch_started(1);
  is_foreground_ = false;
  screen_.write("\r\x1b[J$ ");
  pass(1s);
  loss(1, 250);
  EXPECT_EQ(drawings_, 1);
  EXPECT_THAT(screen_.lines(), testing::ElementsAre("$ loss 250", ""));
  is_foreground_ = true;
  pass(1s);
  loss(1, 500);
  EXPECT_EQ(drawings_, 2);
  EXPECT_THAT(screen_.lines().at(0), "$ loss 250");
}

TEST_F(ProgressOnAScreen, MakesRoomForTheLog) {
  testing::internal::CaptureStderr();
  progress_->epoch_started(1);
  pass(1s);
  loss(1, 250);
  const auto before = screen_.overwritten().size();
  pass(1s);
  log_warning("a message");
  EXPECT_GT(screen_.overwritten().size(), before);
  progress_.reset();
  log_warning("another");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("another"));
  EXPECT_EQ(screen_.lines().back(), "");
}

}  // namespace
}  // namespace warpfit::test
