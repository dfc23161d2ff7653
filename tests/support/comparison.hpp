// Comparison of results: the function that every test of a kernel stands on, so it has tests of its own.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <span>

namespace warpfit::test {

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

/// How far an element may lie from what is expected: absolute + relative * |expected|.
struct Tolerance {
  double absolute = 0;
  double relative = 0;
};

/// fp32 sums of `terms` random products whose result is about 1: rounding errors grow as a random walk.
Tolerance rounding_of(std::int64_t terms);

/// Every element within the tolerance. Fails on empty or unequal sizes, and on any NaN or infinity on either
/// side; the message names the first and the worst element.
testing::AssertionResult all_close(std::span<const float> actual, std::span<const double> expected,
                                   Tolerance tolerance);

/// Every element the same number (NaN is none); fails on empty or unequal sizes.
testing::AssertionResult all_equal(std::span<const float> actual, std::span<const double> expected);

}  // namespace warpfit::test
