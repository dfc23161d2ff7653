// How the fused engine distributes networks over blocks, for the limits of real devices.
#include <gtest/gtest.h>

#include <vector>

#include "cuda/fused/plan.hpp"

namespace warpfit::cuda::test {
namespace {

const DeviceLimits kH100{132, 232'448, true};
const DeviceLimits kA100{108, 166'912, true};
const DeviceLimits kOld{56, 49'152, false};
const std::vector<std::int64_t> kTutorial{784, 512, 512, 10};

std::string unsupported_reason(const std::vector<std::int64_t>& widths, std::int64_t rows,
                               const DeviceLimits& limits) {
  std::string reason;
  EXPECT_FALSE(plan_fused(widths, rows, limits, reason));
  return reason;
}

TEST(FusedPlan, TakesTheTutorialOnAnH100) {
  std::string reason;
  const auto plan = plan_fused(kTutorial, 64, kH100, reason);
  ASSERT_TRUE(plan) << reason;
  EXPECT_EQ(plan->blocks, 129);  // four columns per block; the last block has no columns
  EXPECT_EQ(plan->columns[1], 4);
  EXPECT_EQ(plan->columns[2], 4);
  EXPECT_EQ(plan->columns[3], 0);
  EXPECT_LE(plan->shared_bytes, 232'448);
}

TEST(FusedPlan, LeavesNoColumnOut) {
  std::string reason;
  for (const std::int64_t width : {1, 5, 131, 132, 133, 300, 528, 529}) {
    const auto plan = plan_fused(std::vector<std::int64_t>{16, width, 3}, 8, kH100, reason);
    ASSERT_TRUE(plan) << reason;
    EXPECT_GE(plan->blocks * plan->columns[1], width);
    EXPECT_LT((plan->blocks - 2) * plan->columns[1], width) << "two blocks without columns";
    EXPECT_LE(plan->blocks, 132);
    EXPECT_TRUE(plan->blocks == 132 || (plan->blocks - 1) * plan->columns[1] >= width) << "no block to spare";
  }
}

TEST(FusedPlan, SaysWhatDoesNotFit) {
  EXPECT_EQ(unsupported_reason(kTutorial, 64, kA100),
            "weights and batch do not fit in shared memory: 224 KiB per block, but only 163 are available");
  EXPECT_NE(unsupported_reason(kTutorial, 1000, kH100).find("do not fit in shared memory"),
            std::string::npos);
  EXPECT_EQ(unsupported_reason(kTutorial, 64, kOld), "this GPU does not support cooperative launches");
  EXPECT_EQ(unsupported_reason(std::vector<std::int64_t>(10, 4), 1, kH100),
            "the network has 9 layers, more than 8");
  EXPECT_NE(unsupported_reason({4, 1 << 21, 2}, 1, kH100).find("too large"), std::string::npos);
  EXPECT_NE(unsupported_reason({1 << 20, 1 << 20, 2}, 1 << 20, kH100).find("do not fit"), std::string::npos);
}

}  // namespace
}  // namespace warpfit::cuda::test
