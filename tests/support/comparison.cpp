#include "tests/support/comparison.hpp"

#include <cmath>

namespace warpfit::test {

Tolerance rounding_of(std::int64_t terms) {
  return {kEpsilon * std::sqrt(static_cast<double>(terms)), 4 * kEpsilon};
}

testing::AssertionResult all_close(std::span<const float> actual, std::span<const double> expected,
                                   Tolerance tolerance) {
  if (actual.empty() || actual.size() != expected.size()) {
    return testing::AssertionFailure()
           << actual.size() << " elements, expected " << expected.size() << " and at least one";
  }
  std::size_t wrong = 0;
  std::size_t first = 0;
  std::size_t worst = 0;
  double worst_excess = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double excess =
        std::abs(actual[i] - expected[i]) - tolerance.absolute - tolerance.relative * std::abs(expected[i]);
    // Written so that NaN on either side, and inf - inf, count as mismatches.
    const bool right = std::isfinite(actual[i]) && std::isfinite(expected[i]) && excess <= 0;
    if (right) continue;
    if (wrong++ == 0) first = worst = i;
    if (excess > worst_excess) {
      worst_excess = excess;
      worst = i;
    }
  }
  if (wrong == 0) return testing::AssertionSuccess();
  return testing::AssertionFailure() << wrong << " of " << actual.size() << " elements are wrong; first ["
                                     << first << "] = " << actual[first] << ", expected " << expected[first]
                                     << "; worst [" << worst << "] = " << actual[worst] << ", expected "
                                     << expected[worst];
}

testing::AssertionResult all_equal(std::span<const float> actual, std::span<const double> expected) {
  return all_close(actual, expected, {});
}

}  // namespace warpfit::test
