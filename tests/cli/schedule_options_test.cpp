#include "host/cli/schedule_options.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "host/base/error.hpp"
#include "host/cli/parse.hpp"

namespace warpfit {
namespace {

constexpr std::int64_t kEpochs = 4;
constexpr std::int64_t kSteps = 10;

// With a base learning rate of 1.
Schedule schedule(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), {"warpfit", "train"});
  const auto command = parse_command_line(static_cast<int>(arguments.size()), arguments.data());
  const auto& train = std::get<TrainCommand>(command);
  return {schedule_of(train.schedule, kEpochs), 1, train.schedule.warmup, kSteps, kEpochs * kSteps};
}

struct Asked {
  std::vector<const char*> arguments;
  std::vector<double> rates;  ///< at the first step of each epoch
};

TEST(ScheduleOptions, HavePyTorchsDefaults) {
  const double quarter = std::sqrt(0.5) / 2;  // cosine at a quarter of the period, relative to 0.5
  const std::vector<Asked> cases{
      {{}, {1, 1, 1, 1}},
      {{"--schedule", "constant"}, {1, 1, 1, 1}},
      {{"--schedule", "step"}, {1, 0.1, 0.01, 0.001}},
      {{"--schedule", "multistep", "--milestones", "2"}, {1, 1, 0.1, 0.1}},
      {{"--schedule", "exponential"}, {1, 0.9, 0.81, 0.729}},
      {{"--schedule", "cosine"}, {1, 0.5 + quarter, 0.5, 0.5 - quarter}},
      {{"--schedule", "cosine-restarts", "--t-0", "2"}, {1, 0.5, 1, 0.5}},
      {{"--schedule", "linear"}, {1, 0.75, 0.5, 0.25}},
  };
  for (const auto& asked : cases) {
    const auto got = schedule(asked.arguments);
    for (std::int64_t epoch = 0; epoch < kEpochs; ++epoch) {
      EXPECT_DOUBLE_EQ(got.rate(epoch * kSteps), asked.rates[static_cast<std::size_t>(epoch)])
          << (asked.arguments.empty() ? "" : asked.arguments[1]) << " at " << epoch;
    }
  }
  // The peak is at step 0.3 * 40 - 1.
  const auto cycle = schedule({"--schedule", "one-cycle", "--max-lr", "50"});
  EXPECT_DOUBLE_EQ(cycle.rate(0), 2);
  EXPECT_DOUBLE_EQ(cycle.rate(11), 50);
  EXPECT_DOUBLE_EQ(cycle.rate(39), 2e-4);
}

TEST(ScheduleOptions, ReadEveryFlag) {
  const std::vector<Asked> cases{
      {{"--schedule", "step", "--step-size", "2", "--gamma", "0.5"}, {1, 1, 0.5, 0.5}},
      {{"--milestones", "1,3", "--schedule", "multistep", "--gamma", "0.5"}, {1, 0.5, 0.5, 0.25}},
      {{"--schedule", "exponential", "--gamma", "0.5"}, {1, 0.5, 0.25, 0.125}},
      {{"--schedule", "cosine", "--t-max", "2", "--eta-min", "0.5"}, {1, 0.75, 0.5, 0.75}},
      {{"--schedule", "cosine-restarts", "--t-0", "1", "--t-mult", "2", "--eta-min", "0.5"}, {1, 1, 0.75, 1}},
      {{"--schedule", "one-cycle", "--max-lr", "50", "--pct-start", "0.275"}, {2, 50}},
      {{"--schedule", "linear", "--end-factor", "0.5"}, {1, 0.875, 0.75, 0.625}},
      {{"--warmup", "20"}, {0.05, 0.55, 1, 1}},
  };
  for (const auto& asked : cases) {
    const auto got = schedule(asked.arguments);
    for (std::size_t epoch = 0; epoch < asked.rates.size(); ++epoch) {
      EXPECT_DOUBLE_EQ(got.rate(static_cast<std::int64_t>(epoch) * kSteps), asked.rates[epoch])
          << asked.arguments[1] << " at " << epoch;
    }
  }
}

struct Refused {
  std::vector<const char*> arguments;
  const char* message;
};

TEST(ScheduleOptions, RefuseWhatTheScheduleDoesNotHaveOrMisses) {
  const std::vector<Refused> cases{
      {{"--step-size", "2"}, "--step-size: --schedule constant has no such setting; it is for step"},
      {{"--schedule", "cosine", "--gamma", "0.5"},
       "--gamma: --schedule cosine has no such setting; it is for step, multistep, exponential"},
      {{"--schedule", "step", "--milestones", "2"}, "--milestones: --schedule step has no such setting"},
      {{"--schedule", "cosine-restarts", "--t-0", "2", "--t-max", "2"},
       "--t-max: --schedule cosine-restarts"},
      {{"--schedule", "cosine", "--t-0", "2"}, "--t-0: --schedule cosine has no"},
      {{"--schedule", "cosine", "--t-mult", "2"}, "--t-mult: --schedule cosine has no"},
      {{"--schedule", "one-cycle", "--max-lr", "1", "--eta-min", "0"}, "--eta-min: --schedule one-cycle"},
      {{"--end-factor", "0.5"}, "--end-factor: --schedule constant has no such setting; it is for linear"},
      {{"--max-lr", "1"}, "--max-lr: --schedule constant has no such setting; it is for one-cycle"},
      {{"--pct-start", "0.5"}, "--pct-start: --schedule constant has no such setting; it is for one-cycle"},
      {{"--schedule", "multistep"}, "--schedule multistep: requires --milestones"},
      {{"--schedule", "cosine-restarts"}, "--schedule cosine-restarts: requires --t-0"},
      {{"--schedule", "one-cycle"}, "--schedule one-cycle: requires --max-lr"},
  };
  for (const auto& refused : cases) {
    try {
      schedule(refused.arguments);
      ADD_FAILURE() << refused.message << ": accepted";
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find(refused.message), std::string::npos) << error.what();
    }
  }
}

TEST(ScheduleOptions, RefuseValuesOutOfRange) {
  for (const auto& [flag, given] :
       std::vector<std::pair<const char*, const char*>>{{"--schedule", "polynomial"},
                                                        {"--end-factor", "1.1"},
                                                        {"--step-size", "0"},
                                                        {"--gamma", "-0.1"},
                                                        {"--gamma", "nan"},
                                                        {"--milestones", "0"},
                                                        {"--milestones", "2,1"},
                                                        {"--milestones", "2,2"},
                                                        {"--milestones", "1,2,"},
                                                        {"--milestones", ",1"},
                                                        {"--milestones", "1,,2"},
                                                        {"--milestones", "1, 2"},
                                                        {"--milestones", "1.5"},
                                                        {"--t-max", "0"},
                                                        {"--t-0", "0"},
                                                        {"--t-mult", "0"},
                                                        {"--eta-min", "-1"},
                                                        {"--max-lr", "inf"},
                                                        {"--pct-start", "1.1"},
                                                        {"--warmup", "-1"}}) {
    try {
      schedule({flag, given});
      ADD_FAILURE() << flag << ' ' << given << ": accepted";
    } catch (const UsageError& error) {
      const auto expected = std::string(flag) + " " + given + ": expected";
      EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace warpfit
