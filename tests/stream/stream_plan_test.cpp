#include "host/stream/stream_plan.hpp"

#include <gtest/gtest.h>

#include "host/base/error.hpp"
#include "tests/support/backends.hpp"

namespace warpfit::test {
namespace {

constexpr StreamRequest kTraining{.samples = 60'000, .sample_size = 784, .batch_size = 64};
constexpr StreamRequest kTest{.samples = 10'000, .sample_size = 784, .batch_size = 64};
constexpr std::int64_t kTrainingBytes = 60'000 * 790;  // pixels, label and number in the order
constexpr std::int64_t kTestBytes = 10'000 * 790;
constexpr std::int64_t kBatchBytes = 64 * 790;
constexpr std::int64_t kOneSampleBytes = 792;  // its number is aligned to four bytes

class StreamPlans : public OnEachBackend {
 protected:
  [[nodiscard]] std::vector<StreamPlan> plan(Residency residency, std::optional<std::int64_t> limit) const {
    return plan_streams(*backend_, kSets, residency, limit);
  }
  // The memory that the plans take, which is checked to be within the limit.
  static void expect_within(const std::vector<StreamPlan>& plans, std::int64_t limit) {
    std::int64_t bytes = 0;
    for (std::size_t i = 0; i < plans.size(); ++i) bytes += device_bytes(kSets[i], plans[i]);
    EXPECT_LE(bytes, limit);
  }

  static inline const std::vector<StreamRequest> kSets{kTraining, kTest};
};

TEST_P(StreamPlans, SendChunksOfAboutFourMegabytesInThreeSlots) {
  const auto plans = plan(Residency::kStream, std::nullopt);
  for (const auto& plan : plans) {
    EXPECT_FALSE(plan.resident);
    EXPECT_EQ(plan.chunk_samples, 83 * 64);
  }
  EXPECT_EQ(plans[0].slots, 3U);
  EXPECT_EQ(plans[1].slots, 2U);  // enough for the whole set
}

TEST_P(StreamPlans, KeepAllThatTheBackendWouldAndTheLimitAllows) {
  const bool keeps = backend_->should_keep(kTrainingBytes);
  const auto all = plan(Residency::kAuto, kTrainingBytes + kTestBytes);
  EXPECT_EQ(all[0].resident, keeps);
  EXPECT_EQ(all[1].resident, keeps);
  const auto one = plan(Residency::kAuto, kTrainingBytes + kTestBytes - 1);
  EXPECT_EQ(one[0].resident, keeps);
  EXPECT_FALSE(one[1].resident);
  expect_within(one, kTrainingBytes + kTestBytes - 1);
  const auto no_room = plan(Residency::kAuto, kTrainingBytes + kBatchBytes - 1);
  EXPECT_FALSE(no_room[0].resident);
  expect_within(no_room, kTrainingBytes + kBatchBytes - 1);
  const auto other = plan(Residency::kAuto, kTrainingBytes - 1);
  EXPECT_FALSE(other[0].resident);
  EXPECT_EQ(other[1].resident, keeps);
  expect_within(other, kTrainingBytes - 1);
}

TEST_P(StreamPlans, KeepToEveryLimitThatABatchOfEachFitsIn) {
  for (std::int64_t limit = 2 * kBatchBytes; limit < 2 * (kTrainingBytes + kTestBytes);
       limit += limit / 7 + 1) {
    for (const Residency residency : {Residency::kAuto, Residency::kStream}) {
      SCOPED_TRACE(limit);
      const auto plans = plan(residency, limit);
      expect_within(plans, limit);
      for (const auto& plan : plans) {
        EXPECT_GE(plan.slots, 1U);
        EXPECT_TRUE(plan.chunk_samples % 64 == 0 || plan.chunk_samples == kTest.samples);
        EXPECT_GE(plan.chunk_samples, 64);
      }
    }
  }
}

// For example a validation set that is smaller than a batch.
TEST_P(StreamPlans, LeaveRoomForALargerBatchAfterIt) {
  auto small = kTest;
  small.batch_size = 1;
  const std::vector<StreamRequest> sets{small, kTest};
  const std::int64_t limit = kBatchBytes + kOneSampleBytes;
  const auto plans = plan_streams(*backend_, sets, Residency::kStream, limit);
  EXPECT_EQ(device_bytes(sets[0], plans[0]) + device_bytes(sets[1], plans[1]), limit);
}

TEST_P(StreamPlans, RefuseALimitThatNotABatchFitsIn) {
  try {
    static_cast<void>(plan(Residency::kAuto, 2 * kBatchBytes - 1));
    FAIL() << "planned a batch of each set in less than they take";
  } catch (const OutOfMemory& error) {
    EXPECT_STREQ(
        error.what(),
        "--device-memory-limit 101119: expected at least 101120 bytes, a batch of each data set; try "
        "a smaller --batch-size");
  }
}

TEST_P(StreamPlans, RefuseToKeepMoreThanTheLimit) {
  const auto plans = plan(Residency::kResident, kTrainingBytes + kTestBytes);
  EXPECT_TRUE(plans[0].resident && plans[1].resident);
  EXPECT_THROW(static_cast<void>(plan(Residency::kResident, kTrainingBytes + kTestBytes - 1)), OutOfMemory);
}

INSTANTIATE_TEST_SUITE_P(Backends, StreamPlans, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
