// The products of linear layers on threads, with AMX and without it.
#include "host/cpu/products.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/comparison.hpp"
#include "tests/support/linear_layer.hpp"

namespace warpfit::test {
namespace {

using cpu::AmxProduct;
using cpu::Products;
using cpu::ThreadPool;

/// The results of all products of a layer.
struct LayerProducts {
  std::vector<float> y, dx, dw, db, w, b;

  LayerProducts(Products& products, const LayerShape& s, const LayerValues& values, ActivationKind activation)
      : y(static_cast<std::size_t>(s.rows * s.outputs)),
        dx(values.x.size()),
        dw(values.w.size()),
        db(values.b.size()),
        w(values.w),
        b(values.b) {
    const ConstMatrix x{values.x.data(), s.rows, s.inputs}, dy{values.dy.data(), s.rows, s.outputs};
    const ConstMatrix weights{values.w.data(), s.outputs, s.inputs};
    products.forward(x, weights, values.b, activation, {y.data(), s.rows, s.outputs});
    products.backward_input(dy, weights, x, activation, {dx.data(), s.rows, s.inputs});
    products.backward_weights(x, dy, {dw.data(), s.outputs, s.inputs}, db);
    products.backward_sgd(x, dy, 0.5F, {w.data(), s.outputs, s.inputs}, b);
  }
  bool operator==(const LayerProducts&) const = default;
};

// The parameter is the number of threads.
class LargeProducts : public testing::TestWithParam<int> {
 protected:
  explicit LargeProducts(bool with_amx = false) : products_(pool_, with_amx) {}

  void check(const LayerShape& s) {
    const LayerValues values(s, true);
    const auto y = reference_linear(values.x, values.w, values.b, s.rows);
    const auto dx = reference_linear_input_gradient(values.dy, values.w, s.rows, s.outputs);
    const auto dw = reference_weight_gradient(values.x, values.dy, s.rows);
    const auto db = reference_bias_gradient(values.dy, s.rows);
    for (const bool has_relu : {false, true}) {
      SCOPED_TRACE(testing::Message() << s.inputs << " to " << s.outputs << ", ReLU: " << has_relu);
      const LayerProducts found(products_, s, values,
                                has_relu ? ActivationKind::kRelu : ActivationKind::kNone);
      EXPECT_TRUE(all_equal(found.y, has_relu ? relu(y) : y));
      EXPECT_TRUE(all_equal(found.dx, has_relu ? masked(dx, values.x) : dx));
      EXPECT_TRUE(all_equal(found.dw, dw));
      EXPECT_TRUE(all_equal(found.db, db));
      EXPECT_TRUE(all_equal(found.w, updated(values.w, dw, 0.5)));
      EXPECT_TRUE(all_equal(found.b, updated(values.b, db, 0.5)));
    }
  }

  ThreadPool pool_{GetParam()};
  Products products_;
};

// More than 1024 columns a thread: of y with many outputs, of dx and dw with many inputs.
TEST_P(LargeProducts, AreExactOnIntegers) {
  const std::int64_t wide = 1030 * pool_.threads();
  check({130, 129, wide});
  check({130, wide, 129});
}

class LargeAmxProducts : public LargeProducts {
 protected:
  LargeAmxProducts() : LargeProducts(AmxProduct::is_available()) {}
  void SetUp() override {
    if (!AmxProduct::is_available()) GTEST_SKIP() << "this processor has no AMX";
    // Two threads compute at least a tile of 200 x 420 each, or of 400 x 210.
    ASSERT_TRUE(AmxProduct::is_faster(250, 400, 600) && AmxProduct::is_faster(500, 200, 600));
  }

  static constexpr LayerShape kShape{500, 400, 600};
};

TEST_P(LargeAmxProducts, AreExactOnIntegers) { check(kShape); }

TEST_P(LargeAmxProducts, StayWithinRoundingOnFloats) {
  const auto& s = kShape;
  const LayerValues values(s, false);
  const LayerProducts found(products_, s, values, ActivationKind::kNone);
  EXPECT_TRUE(
      all_close(found.y, reference_linear(values.x, values.w, values.b, s.rows), rounding_of(s.inputs)));
  EXPECT_TRUE(all_close(found.dx, reference_linear_input_gradient(values.dy, values.w, s.rows, s.outputs),
                        rounding_of(s.outputs)));
  EXPECT_TRUE(
      all_close(found.dw, reference_weight_gradient(values.x, values.dy, s.rows), rounding_of(s.rows)));
}

INSTANTIATE_TEST_SUITE_P(Threads, LargeProducts, testing::Values(1, 2));
INSTANTIATE_TEST_SUITE_P(Threads, LargeAmxProducts, testing::Values(1, 2));

// The bits of the sums show how they were computed.
TEST(ChoiceOfAmx, LeavesSmallProductsToOneDnn) {
  if (!AmxProduct::is_available()) GTEST_SKIP() << "this processor has no AMX";
  ThreadPool pool(1);
  Products with_amx(pool, true), without_amx(pool, false), by_default(pool);
  const auto products = [](Products& how, const LayerShape& s) {
    return LayerProducts(how, s, LayerValues(s, false), ActivationKind::kRelu);
  };
  const LayerShape small{40, 60, 30}, large{512, 500, 600};
  EXPECT_TRUE(products(with_amx, small) == products(without_amx, small));
  const auto large_with_amx = products(with_amx, large), large_without = products(without_amx, large);
  EXPECT_NE(large_with_amx.y, large_without.y);
  EXPECT_NE(large_with_amx.dx, large_without.dx);
  EXPECT_NE(large_with_amx.dw, large_without.dw);
  EXPECT_NE(large_with_amx.w, large_without.w);
  EXPECT_TRUE(products(by_default, large) == large_with_amx);
}

TEST(ChoiceOfAmx, GivesTheSameBitsOnOneAndThreeThreads) {
  if (!AmxProduct::is_available()) GTEST_SKIP() << "this processor has no AMX";
  const LayerShape s{700, 800, 900};
  const LayerValues values(s, false);
  ThreadPool one(1), three(3);
  Products alone(one), shared(three);
  EXPECT_TRUE(LayerProducts(alone, s, values, ActivationKind::kRelu) ==
              LayerProducts(shared, s, values, ActivationKind::kRelu));
}

}  // namespace
}  // namespace warpfit::test
