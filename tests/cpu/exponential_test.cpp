#include "host/cpu/exponential.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace warpfit::cpu::test {
namespace {

// Every 1009th float from -0 to -87.
TEST(Exponential, IsWithinAUnitInTheLastPlace) {
  const auto last = std::bit_cast<std::uint32_t>(-87.0F);
  for (auto bits = std::bit_cast<std::uint32_t>(-0.0F); bits <= last; bits += 1009) {
    const auto x = std::bit_cast<float>(bits);
    const double expected = std::exp(double{x});
    const double unit = std::ldexp(1.0, std::ilogb(expected) - 23);
    ASSERT_LE(std::abs(exponential(x) - expected), unit) << x;
  }
}

TEST(Exponential, IsExactAtZeroAndBeyondItsRange) {
  EXPECT_EQ(exponential(0.0F), 1.0F);
  EXPECT_EQ(exponential(-0.0F), 1.0F);
  EXPECT_EQ(exponential(-87.5F), 0.0F);
  EXPECT_EQ(exponential(std::numeric_limits<float>::lowest()), 0.0F);
  EXPECT_EQ(exponential(-std::numeric_limits<float>::infinity()), 0.0F);
  EXPECT_TRUE(std::isnan(exponential(std::numeric_limits<float>::quiet_NaN())));
}

}  // namespace
}  // namespace warpfit::cpu::test
