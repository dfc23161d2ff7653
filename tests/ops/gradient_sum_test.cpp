#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/backends.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

using GradientSum = OnEachBackend;

// The expected values are exact: a product and a sum, each rounded.
TEST_P(GradientSum, AddsAShareAtEverySize) {
  for (const std::int64_t size : {1, 7, 255, 256, 257, 20'001, 1'200'003}) {
    SCOPED_TRACE(testing::Message() << size << " gradients");
    TestValues values;
    const auto gradients = values.uniform(size);
    const auto before = values.uniform(size);
    constexpr float kShare = 0.5F;  // its products are exact, so an FMA on a GPU gives the same result
    const GuardedFloats g(*backend_, gradients);
    const GuardedFloats sum(*backend_, before);
    const auto step = backend_->record([&] { backend_->add_scaled(kShare, g.vector(), sum.vector()); });
    for (int i = 0; i < 2; ++i) step->run(one_batch(1));
    std::vector<float> expected = before;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      for (int k = 0; k < 2; ++k) expected[i] += kShare * gradients[i];
    }
    EXPECT_EQ(sum.values(), expected);
    EXPECT_EQ(g.values(), gradients);
    run_once(
        *backend_, [&] { backend_->clear(sum.vector()); }, one_batch(1));
    EXPECT_EQ(sum.values(), std::vector<float>(before.size()));
  }
}

TEST_P(GradientSum, KeepsNanUntilItIsCleared) {
  const std::vector<float> gradients{std::numeric_limits<float>::quiet_NaN(), 1};
  const GuardedFloats g(*backend_, gradients);
  const GuardedFloats sum(*backend_, std::vector<float>{1, 1});
  run_once(
      *backend_, [&] { backend_->add_scaled(0.5F, g.vector(), sum.vector()); }, one_batch(1));
  EXPECT_TRUE(std::isnan(sum.values()[0]));
  EXPECT_EQ(sum.values()[1], 1.5F);
  run_once(
      *backend_, [&] { backend_->clear(sum.vector()); }, one_batch(1));
  EXPECT_EQ(sum.values(), (std::vector<float>{0, 0}));
}

INSTANTIATE_TEST_SUITE_P(Backends, GradientSum, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
