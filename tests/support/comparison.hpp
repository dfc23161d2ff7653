// Comparison of results. Every test of a kernel relies on it, so it has tests of its own.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <span>

namespace warpfit::test {

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

/// The largest allowed difference of an element from its expected value: absolute + relative * |expected|.
struct Tolerance {
  double absolute = 0;
  double relative = 0;
};

/// For fp32 sums of `terms` random products with a result of about 1: rounding errors grow like a random
/// walk.
Tolerance rounding_of(std::int64_t terms);

/// Requires every element to be within the tolerance. Fails on empty or unequal sizes, and on any NaN or
/// infinity on either side; the message names the first and the worst element.
testing::AssertionResult all_close(std::span<const float> actual, std::span<const double> expected,
                                   Tolerance tolerance);

/// Requires every element to be equal (NaN equals nothing); fails on empty or unequal sizes.
testing::AssertionResult all_equal(std::span<const float> actual, std::span<const double> expected);

}  // namespace warpfit::test
