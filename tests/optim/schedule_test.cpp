// Schedules compared with learning rates computed by hand, and with PyTorch's (tests/goldens/schedules).
#include "host/optim/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using nlohmann::json;

// Most of PyTorch's schedules multiply the previous rate once per epoch; ours compute each rate from its
// closed form. In these runs of up to 14 epochs the two differ by 1.05e-15 at most; the rest of the tolerance
// is for the cosines and powers of other math libraries.
constexpr double kRounding = 2e-15;

// A relative tolerance, so that a rate of 1e-6 is compared as precisely as a rate of 1; a rate of 0 must be
// exactly 0.
testing::AssertionResult is_rate(double actual, double expected) {
  if (std::abs(actual - expected) <= kRounding * std::abs(expected)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << testing::PrintToString(actual) << ", expected " << expected
                                     << ", relatively " << (actual - expected) / expected << " off";
}

// The learning rate of each epoch's first step, with 10 steps per epoch.
std::vector<double> epochs_of(const ScheduleShape& shape, double base, std::int64_t epochs) {
  constexpr std::int64_t kSteps = 10;
  const Schedule schedule(shape, base, 0, kSteps, epochs * kSteps);
  std::vector<double> rates;
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    rates.push_back(schedule.rate(epoch * kSteps));
    EXPECT_EQ(schedule.rate(epoch * kSteps + kSteps - 1), rates.back());
  }
  return rates;
}

void expect_rates(const std::vector<double>& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_TRUE(is_rate(actual[i], expected[i])) << "at " << i;
}

TEST(Schedule, IsWhatOneWorksOutByHand) {
  expect_rates(epochs_of(Constant{}, 2, 3), {2, 2, 2});
  expect_rates(epochs_of(StepDecay{}, 1, 4), {1, 0.1, 0.01, 0.001});
  expect_rates(epochs_of(StepDecay{.step_size = 2, .gamma = 0.5}, 8, 5), {8, 8, 4, 4, 2});
  expect_rates(epochs_of(MultiStep{.milestones = {1, 3}}, 1, 5), {1, 0.1, 0.1, 0.01, 0.01});
  expect_rates(epochs_of(Exponential{.gamma = 0.5}, 1, 4), {1, 0.5, 0.25, 0.125});
  // cos(pi / 3) = 1 / 2. After t_max the rate rises again.
  expect_rates(epochs_of(Cosine{.t_max = 3}, 4, 8), {4, 3, 1, 0, 1, 3, 4, 3});
  expect_rates(epochs_of(Cosine{.t_max = 2, .eta_min = 2}, 4, 3), {4, 3, 2});
  expect_rates(epochs_of(CosineRestarts{.t_0 = 3}, 4, 7), {4, 3, 1, 4, 3, 1, 4});
  // Restarts at epochs 1 and 3; the third cycle has four epochs.
  expect_rates(epochs_of(CosineRestarts{.t_0 = 1, .t_mult = 2, .eta_min = 2}, 6, 6),
               {6, 6, 4, 6, 4 + std::sqrt(2), 4});
}

// 10 steps; the peak is at step 0.5 * 10 - 1 = 4, and step 2 is halfway to it.
TEST(Schedule, CyclesOnceOverTheSteps) {
  const Schedule schedule(OneCycle{.max_rate = 50, .pct_start = 0.5}, 3, 0, 5, 10);
  EXPECT_TRUE(is_rate(schedule.rate(0), 2));
  EXPECT_TRUE(is_rate(schedule.rate(2), 26));
  EXPECT_TRUE(is_rate(schedule.rate(4), 50));
  EXPECT_TRUE(is_rate(schedule.rate(9), 2e-4));
  EXPECT_LT(schedule.rate(6), schedule.rate(5));
}

TEST(Schedule, FallsLinearlyOverTheSteps) {
  const Schedule to_zero(LinearDecay{}, 8, 0, 3, 16);
  for (const auto& [step, rate] : {std::pair{0, 8.0}, {1, 7.5}, {2, 7.0}, {8, 4.0}, {15, 0.5}})
    EXPECT_EQ(to_zero.rate(step), rate) << step;
  const Schedule to_half(LinearDecay{.end_factor = 0.5}, 8, 4, 3, 16);
  for (const auto& [step, rate] : {std::pair{0, 2.0}, {1, 3.875}, {3, 7.25}, {4, 7.0}, {15, 4.25}})
    EXPECT_EQ(to_half.rate(step), rate) << step;
}

// The peak is at step 0, where PyTorch divides by zero.
TEST(Schedule, BeginsAtTheHighestRateWhereTheClimbIsOneStep) {
  EXPECT_EQ(Schedule(OneCycle{.max_rate = 50, .pct_start = 0.1}, 3, 0, 5, 10).rate(0), 50);
  EXPECT_EQ(Schedule(OneCycle{.max_rate = 50, .pct_start = 1}, 3, 0, 1, 1).rate(0), 50);
}

TEST(Schedule, WarmsUpOverTheFirstSteps) {
  const Schedule constant(Constant{}, 8, 4, 10, 100);
  for (const auto& [step, rate] : {std::pair{0, 2.0}, {1, 4.0}, {2, 6.0}, {3, 8.0}, {4, 8.0}, {99, 8.0}}) {
    EXPECT_TRUE(is_rate(constant.rate(step), rate)) << step;
  }
  // Across the end of an epoch: 3 / 4 of the schedule's rate there.
  EXPECT_TRUE(is_rate(Schedule(StepDecay{}, 8, 4, 2, 100).rate(2), 0.6));
}

// For large step numbers: a rate accumulated step by step, float arithmetic or a cosine of a large number
// would be inaccurate.
TEST(Schedule, KeepsItsDigitsInLongRuns) {
  constexpr std::int64_t kSteps = 1'000'000;
  constexpr std::int64_t kEpochs = 600'000'001;
  const auto last = [&](const ScheduleShape& shape) {
    return Schedule(shape, 4, 0, kSteps, kEpochs * kSteps).rate(kEpochs * kSteps - 1);
  };
  EXPECT_TRUE(is_rate(last(Cosine{.t_max = 9}), 1));
  EXPECT_TRUE(is_rate(last(CosineRestarts{.t_0 = 3}), 4));
  EXPECT_TRUE(is_rate(last(StepDecay{.step_size = 600'000'000}), 0.4));
  // There are restarts after 5^0 + ... + 5^12 epochs, and the next cycle has 5^13.
  const double part = (6e8 - 305'175'781) / 1'220'703'125;
  EXPECT_TRUE(is_rate(last(CosineRestarts{.t_0 = 1, .t_mult = 5}), 2 * (1 + std::cos(std::acos(-1) * part))));
}

ScheduleShape shape_of(const json& run) {
  const std::string name = run.at("scheduler");
  const auto& with = run.at("parameters");
  if (name == "StepLR") return StepDecay{with.at("step_size"), with.at("gamma")};
  if (name == "MultiStepLR") return MultiStep{with.at("milestones"), with.at("gamma")};
  if (name == "ExponentialLR") return Exponential{with.at("gamma")};
  if (name == "CosineAnnealingLR") return Cosine{with.at("T_max"), with.at("eta_min")};
  if (name == "CosineAnnealingWarmRestarts") {
    return CosineRestarts{with.at("T_0"), with.at("T_mult"), with.at("eta_min")};
  }
  if (name == "LinearLR") return LinearDecay{with.at("end_factor")};
  if (name == "OneCycleLR") return OneCycle{.max_rate = with.at("max_lr"), .pct_start = with.at("pct_start")};
  if (name.empty()) return Constant{};
  throw std::runtime_error("a golden of the unknown scheduler " + name);
}

TEST(Schedule, FollowsPyTorch) {
  std::ifstream file(source_folder() / "tests/goldens/schedules/pytorch_2.15.json");
  const auto golden = json::parse(file);
  const std::int64_t steps = golden.at("steps_per_epoch");
  EXPECT_EQ(golden.at("runs").size(), 17);
  for (const auto& run : golden.at("runs")) {
    SCOPED_TRACE(run.at("scheduler").dump() + " " + run.at("parameters").dump());
    const std::int64_t total = run.at("epochs").get<std::int64_t>() * steps;
    const Schedule schedule(shape_of(run), run.at("lr"), run.at("warmup"), steps, total);
    std::vector<double> rates;
    for (std::int64_t step = 0; step < total; ++step) rates.push_back(schedule.rate(step));
    expect_rates(rates, run.at("rates").get<std::vector<double>>());
  }
}

}  // namespace
}  // namespace warpfit::test
