#include "host/report/reports.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace warpfit::test {
namespace {

using testing::ElementsAre;

using Calls = std::vector<std::string>;

// Records each call: the name of the report and the arguments.
class Noting final : public Report {
 public:
  Noting(std::string name, Calls& calls) : name_(std::move(name)), calls_(calls) {}

  void run_started(const RunStart& run) override { note("runs on " + run.device, 0); }
  void epoch_started(std::int64_t epoch) override { note("started", epoch); }
  void loss(const LossReport& report) override { note("loss", report.step); }
  void epoch_ended(const EpochReport& report) override { note("ended", report.epoch); }
  void done() override { note("done", 0); }

 private:
  void note(const std::string& call, std::int64_t number) {
    calls_.push_back(name_ + " " + call + " " + std::to_string(number));
  }

  std::string name_;
  Calls& calls_;
};

class Failing final : public Report {
 public:
  void done() override { throw std::runtime_error("full"); }
};

TEST(Reports, HandsEachCallToAllInTheirOrder) {
  Calls calls;
  Noting a("a", calls);
  Noting b("b", calls);
  Reports both({a, b});
  LossReport loss;
  loss.step = 7;
  EpochReport epoch;
  epoch.epoch = 4;
  both.run_started({.plan = {}, .data = "", .device = "cpu", .options = ""});
  both.epoch_started(3);
  both.loss(loss);
  both.epoch_ended(epoch);
  both.done();
  EXPECT_THAT(calls, ElementsAre("a runs on cpu 0", "b runs on cpu 0", "a started 3", "b started 3",
                                 "a loss 7", "b loss 7", "a ended 4", "b ended 4", "a done 0", "b done 0"));
}

TEST(Reports, StopsAtTheOneThatFails) {
  Calls calls;
  Noting before("a", calls);
  Failing failing;
  Noting after("b", calls);
  Reports all({before, failing, after});
  EXPECT_THROW(all.done(), std::runtime_error);
  EXPECT_THAT(calls, ElementsAre("a done 0"));
}

}  // namespace
}  // namespace warpfit::test
