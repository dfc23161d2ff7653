#include <gtest/gtest.h>

#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

class SgdUpdate : public OnEachBackend {
 protected:
  // Parameters and gradients begin as many floats after an aligned address as their skew says.
  void check(std::int64_t size, std::size_t skew, std::size_t gradient_skew) {
    SCOPED_TRACE(testing::Message() << size << " values, skewed by " << skew << " and " << gradient_skew);
    TestValues values;
    const auto w = values.integers(size, 1000);
    const auto dw = values.integers(size, 1000);
    const GuardedFloats parameters(*backend_, w, skew);
    const GuardedFloats gradients(*backend_, dw, gradient_skew);
    run_once(
        *backend_,
        [&] {
          backend_->update(Sgd{}, {parameters.vector(), gradients.vector(), {}, nullptr});
        },
        one_batch(1, 0.5F));
    Doubles expected;
    for (std::size_t i = 0; i < w.size(); ++i) expected.push_back(w[i] - 0.5 * dw[i]);
    EXPECT_TRUE(all_equal(parameters.values(), expected));
    EXPECT_EQ(gradients.values(), dw);
  }
};

TEST_P(SgdUpdate, SubtractsRateTimesGradientAtEverySizeAndAlignment) {
  for (const std::int64_t size : {1, 7, 31, 32, 33, 127, 128, 129, 1000, 70'001}) {
    for (const std::size_t skew : {0, 1, 2, 3}) {
      check(size, skew, skew);
      check(size, skew, 0);
      check(size, 0, skew);
    }
  }
}

TEST_P(SgdUpdate, TakesMoreThanAGridCovers) { check(4 * 256 * 4096 + 9, 0, 0); }

TEST_P(SgdUpdate, StaysWithinRounding) {
  TestValues values;
  const auto w = values.uniform(1000);
  const auto dw = values.uniform(1000);
  const GuardedFloats parameters(*backend_, w);
  const GuardedFloats gradients(*backend_, dw);
  run_once(
      *backend_,
      [&] {
        backend_->update(Sgd{}, {parameters.vector(), gradients.vector(), {}, nullptr});
      },
      one_batch(1, 1e-3F));
  Doubles expected;
  for (std::size_t i = 0; i < w.size(); ++i) expected.push_back(w[i] - double{1e-3F} * dw[i]);
  EXPECT_TRUE(all_close(parameters.values(), expected, {kEpsilon, 0}));
}

INSTANTIATE_TEST_SUITE_P(Backends, SgdUpdate, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
