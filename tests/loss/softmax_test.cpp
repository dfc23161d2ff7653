#include "host/loss/softmax.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace warpfit::test {
namespace {

TEST(Softmax, IsTheShareOfEachExponential) {
  const std::vector<float> logits{0.5F, -1, 2};
  const double sum = std::exp(0.5) + std::exp(-1.0) + std::exp(2.0);
  const auto probabilities = softmax(logits);
  const auto logarithms = log_softmax(logits);
  ASSERT_EQ(probabilities.size(), 3U);
  ASSERT_EQ(logarithms.size(), 3U);
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(probabilities[c], std::exp(double{logits[c]}) / sum, 1e-15);
    EXPECT_NEAR(logarithms[c], logits[c] - std::log(sum), 1e-15);
  }
}

TEST(Softmax, StandsLogitsOfAnySize) {
  constexpr float kHuge = std::numeric_limits<float>::max();
  const auto probabilities = softmax(std::vector{kHuge, -kHuge, kHuge});
  EXPECT_EQ(probabilities, (std::vector<double>{0.5, 0, 0.5}));
  EXPECT_DOUBLE_EQ(log_softmax(std::vector{kHuge, kHuge})[1], -std::log(2.0));
  const auto small = softmax(std::vector{-1000.0F, -1000.0F, -1001.0F});
  EXPECT_NEAR(std::accumulate(small.begin(), small.end(), 0.0), 1, 1e-15);
}

}  // namespace
}  // namespace warpfit::test
