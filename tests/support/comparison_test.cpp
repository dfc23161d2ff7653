#include "tests/support/comparison.hpp"

#include <vector>

namespace warpfit::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr Tolerance kLoose{1.0, 1.0};

bool close(std::vector<float> actual, std::vector<double> expected, Tolerance tolerance) {
  return static_cast<bool>(all_close(actual, expected, tolerance));
}

TEST(Comparison, TakesElementsWithinTheTolerance) {
  EXPECT_TRUE(close({1.0F, -2.0F}, {1.001, -2.002}, {0, 1.1e-3}));
  EXPECT_TRUE(close({0.0F}, {1e-6}, {1e-6, 0}));
}

TEST(Comparison, RefusesElementsBeyondIt) {
  EXPECT_FALSE(close({1.0F, 2.0F}, {1.0, 2.0021}, {0, 1e-3}));
  EXPECT_FALSE(close({1.0F}, {-1.0}, {0, 0.5}));
}

TEST(Comparison, RefusesNanAndInfinityOnEitherSide) {
  EXPECT_FALSE(close({kNan}, {0.0}, kLoose));
  EXPECT_FALSE(close({0.0F}, {kNan}, kLoose));
  EXPECT_FALSE(close({kNan}, {kNan}, kLoose));
  EXPECT_FALSE(close({kInfinity}, {0.0}, kLoose));
  EXPECT_FALSE(close({0.0F}, {kInfinity}, kLoose));
  EXPECT_FALSE(close({kInfinity}, {kInfinity}, kLoose));
}

TEST(Comparison, RefusesEmptyAndUnequalSizes) {
  EXPECT_FALSE(close({}, {}, kLoose));
  EXPECT_FALSE(close({1.0F}, {1.0, 1.0}, kLoose));
  EXPECT_FALSE(close({1.0F, 1.0F}, {1.0}, kLoose));
}

TEST(Comparison, RefusesOneBadElementInAMillion) {
  std::vector<float> actual(1'000'000, 1.0F);
  const std::vector<double> expected(actual.size(), 1.0);
  EXPECT_TRUE(all_close(actual, expected, {0, 1e-6}));
  actual[765'432] = 1.01F;
  EXPECT_FALSE(all_close(actual, expected, {0, 1e-3}));
}

TEST(Comparison, EqualMeansTheSameNumber) {
  const std::vector<float> actual{1.0F, 16'777'216.0F};
  EXPECT_TRUE(all_equal(actual, std::vector<double>{1.0, 16'777'216.0}));
  EXPECT_FALSE(all_equal(actual, std::vector<double>{1.0, 16'777'217.0}));
}

}  // namespace
}  // namespace warpfit::test
