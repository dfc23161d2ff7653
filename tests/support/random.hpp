// Random test values. The seed is fixed and printed with each failure; WARPFIT_TEST_SEED overrides it.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "host/backend/views.hpp"

namespace warpfit::test {

/// The seed of this test run.
std::uint32_t test_seed();

class TestValues {
 public:
  /// Values in [-bound, bound].
  std::vector<float> uniform(std::int64_t size, double bound = 1);
  /// Integers in [-bound, bound]: fp32 sums of their products are exact while they stay below 2^24.
  std::vector<float> integers(std::int64_t size, int bound = 3);
  /// Labels in [0, classes).
  std::vector<Label> labels(std::int64_t size, int classes);
  std::vector<std::uint8_t> bytes(std::int64_t size);

 private:
  std::mt19937 engine_{test_seed()};
};

}  // namespace warpfit::test
