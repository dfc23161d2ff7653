#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class GradientClipping : public OnEachBackend {
 protected:
  // Clips by norm, `times` times in succession; norm_ receives the norm of the last time.
  std::vector<float> by_norm(float max_norm, const std::vector<float>& gradients, int times = 1) {
    const GuardedFloats g(*backend_, gradients);
    const Buffer<GradientNorm> norm(*backend_, std::vector<GradientNorm>(1));
    const auto step =
        backend_->record([&] { backend_->clip_gradient_norm(max_norm, g.vector(), norm.data()); });
    for (int i = 0; i < times; ++i) step->run(one_batch(1));
    norm_ = norm.to_host().front().norm;
    return g.values();
  }
  std::vector<float> by_value(float limit, const std::vector<float>& gradients) {
    const GuardedFloats g(*backend_, gradients);
    run_once(
        *backend_, [&] { backend_->clip_gradient_value(limit, g.vector()); }, one_batch(1));
    return g.values();
  }

  float norm_ = 0;
};

TEST_P(GradientClipping, IsWhatOneWorksOutByHand) {
  // (3, 4) has norm 5: clipping to norm 1 divides it by 5.
  EXPECT_TRUE(all_close(by_norm(1, {3, 4}), Doubles{0.6, 0.8}, {1e-6, 0}));
  EXPECT_EQ(norm_, 5);
  // Gradients below the limit are unchanged, bit for bit.
  EXPECT_EQ(by_norm(6, {3, 4}), (std::vector<float>{3, 4}));
  EXPECT_EQ(by_norm(kInfinity, {3, 4}), (std::vector<float>{3, 4}));
  EXPECT_EQ(norm_, 5);
  EXPECT_EQ(by_norm(1, {0, 0}), (std::vector<float>{0, 0}));
  EXPECT_EQ(by_value(0.5F, {-2, -0.5F, 0.25F, 0.75F}), (std::vector<float>{-0.5F, -0.5F, 0.25F, 0.5F}));
}

TEST_P(GradientClipping, AgreesWithDoubleAtEverySize) {
  for (const std::int64_t size : {1, 7, 255, 256, 257, 1000, 20'001, 1'200'003}) {
    SCOPED_TRACE(testing::Message() << size << " gradients");
    TestValues values;
    const auto gradients = values.uniform(size);
    double squares = 0;
    for (const float g : gradients) squares += double{g} * g;
    Doubles expected;
    const double factor = std::min(1.0, 0.1 / (std::sqrt(squares) + 1e-6));
    for (const float g : gradients) expected.push_back(factor * g);
    EXPECT_TRUE(all_close(by_norm(0.1F, gradients), expected, {0, 4 * kEpsilon}));
    EXPECT_NEAR(norm_, std::sqrt(squares), 2 * kEpsilon * std::sqrt(squares));
  }
}

// The second time, the norm equals the limit up to rounding.
TEST_P(GradientClipping, MeasuresAgainEachTime) {
  (void)by_norm(1, {3, 4, 12}, 2);
  EXPECT_NEAR(norm_, 1, 1e-6);
}

TEST_P(GradientClipping, HidesNoGradientThatIsNotFinite) {
  EXPECT_TRUE(std::isnan(by_norm(1, {kNan, 1}).at(1)));
  EXPECT_TRUE(std::isnan(norm_));
  EXPECT_TRUE(std::isnan(by_norm(1, {kInfinity, 1}).at(0)));
  EXPECT_TRUE(std::isnan(by_value(1, {kNan, 1}).at(0)));
}

INSTANTIATE_TEST_SUITE_P(Backends, GradientClipping, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
