// This project's matrix product kernels at tile boundaries, and the default choice between them and cuBLAS.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "host/run/make_backend.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/linear_layer.hpp"
#include "tests/support/sanitizers.hpp"

namespace warpfit::test {
namespace {

class Matmul : public OnEachBackend {
 protected:
  void check(const LayerShape& s, std::size_t skew = 0) {
    SCOPED_TRACE(testing::Message() << s.rows << " rows, " << s.inputs << " to " << s.outputs
                                    << ", skewed by " << skew);
    const LayerValues values(s, true);
    LayerOnBackend layer(*backend_, s, values, skew);
    const auto y = reference_linear(values.x, values.w, values.b, s.rows);
    EXPECT_TRUE(all_equal(layer.forward(ActivationKind::kRelu), relu(y)));
    const auto dx = reference_linear_input_gradient(values.dy, values.w, s.rows, s.outputs);
    EXPECT_TRUE(all_equal(layer.backward_input(ActivationKind::kRelu), masked(dx, values.x)));
    const auto dw = reference_weight_gradient(values.x, values.dy, s.rows);
    const auto db = reference_bias_gradient(values.dy, s.rows);
    const auto gradients = layer.backward_weights();
    EXPECT_TRUE(all_equal(gradients[0], dw));
    EXPECT_TRUE(all_equal(gradients[1], db));
    const auto [w, b] = layer.backward_sgd(0.5F);
    EXPECT_TRUE(all_equal(w, updated(values.w, dw, 0.5)));
    EXPECT_TRUE(all_equal(b, updated(values.b, db, 0.5)));
  }
};

// Each of the three dimensions takes each edge size once; the inner dimension is processed in chunks of 128.
TEST_P(Matmul, IsExactRoundTheEdgesOfSmallTiles) {
  for (const std::int64_t size : {1, 2, 3, 4, 5, 15, 16, 17, 127, 128, 129}) {
    check({size, 5, 3});
    check({3, size, 5});
    check({5, 3, size});
  }
  check({17, 257, 33});
}

// Outputs of 128 or more tiles use tiles of 32, and larger ones tiles of 64.
TEST_P(Matmul, IsExactRoundTheEdgesOfLargerTiles) {
  check({353, 130, 351});
  check({705, 66, 703});
  if (kThreadSanitizer) return;
  for (const LayerShape& s : {LayerShape{352, 353, 129}, LayerShape{130, 353, 351}, LayerShape{704, 705, 65},
                              LayerShape{66, 705, 703}}) {
    check(s);
  }
}

TEST_P(Matmul, TakesMoreRowsThanAGridHas) { check({2 * 65'535 + 3, 1, 1}); }

TEST_P(Matmul, TakesAnyAlignment) {
  for (const std::size_t skew : {1, 2, 3, 4}) check({20, 36, 24}, skew);
}

// If a NaN or an infinity were lost, a diverged run would look healthy.
TEST_P(Matmul, KeepsNan) {
  const LayerShape s{2, 3, 2};
  LayerValues values(s, true);
  values.x[4] = std::numeric_limits<float>::quiet_NaN();
  const auto y = LayerOnBackend(*backend_, s, values).forward(ActivationKind::kRelu);
  EXPECT_FALSE(std::isnan(y[0]) || std::isnan(y[1]));
  EXPECT_TRUE(std::isnan(y[2]) && std::isnan(y[3]));
}

// The padding of a tile must not enter a sum: an infinity times padding would be NaN.
TEST_P(Matmul, KeepsInfinity) {
  const LayerShape s{2, 3, 2};
  LayerValues values(s, true);
  values.x = {1, 1, 1, 1, 1, std::numeric_limits<float>::infinity()};
  values.w = {1, 1, 1, 1, 1, 1};
  const auto y = LayerOnBackend(*backend_, s, values).forward(ActivationKind::kNone);
  EXPECT_TRUE(std::isfinite(y[0]) && std::isfinite(y[1]));
  EXPECT_TRUE(std::isinf(y[2]) && std::isinf(y[3]));
}

INSTANTIATE_TEST_SUITE_P(Backends, Matmul, testing::Values("cuda_own"), backend_name);

// By default, small batches of small layers use this project's kernels, all others cuBLAS; the bits of the
// sums show which kernels were used.
class ChoiceOfProducts : public OnEachBackend {
 protected:
  void expect_as(const char* name, const LayerShape& s) {
    SCOPED_TRACE(testing::Message() << s.rows << " rows, " << s.inputs << " to " << s.outputs);
    std::unique_ptr<Backend> other;
    require_backend(name, other);
    const LayerValues values(s, false);
    LayerOnBackend by_shape(*backend_, s, values), forced(*other, s, values);
    EXPECT_EQ(by_shape.forward(ActivationKind::kRelu), forced.forward(ActivationKind::kRelu));
    EXPECT_EQ(by_shape.backward_input(ActivationKind::kRelu), forced.backward_input(ActivationKind::kRelu));
    EXPECT_EQ(by_shape.backward_weights(), forced.backward_weights());
    EXPECT_EQ(by_shape.backward_sgd(0.1F), forced.backward_sgd(0.1F));
  }
};

TEST_P(ChoiceOfProducts, GoesByRowsAndWidths) {
  expect_as("cuda_own", {256, 300, 70});
  expect_as("cuda_blas", {257, 300, 70});
  expect_as("cuda_own", {40, 2048, 70});
  expect_as("cuda_blas", {40, 2049, 70});
  expect_as("cuda_own", {40, 70, 2048});
  expect_as("cuda_blas", {40, 70, 2049});
}

TEST_P(ChoiceOfProducts, LeavesLesserPrecisionToCublas) {
  const LayerShape s{64, 40, 30};
  const LayerValues values(s, false);
  for (const auto precision : {Precision::kTf32, Precision::kBf16}) {
    const auto lesser = make_backend({.device = {DeviceChoice::Kind::kCuda}, .precision = precision});
    EXPECT_NE(LayerOnBackend(*lesser, s, values).forward(ActivationKind::kNone),
              LayerOnBackend(*backend_, s, values).forward(ActivationKind::kNone));
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, ChoiceOfProducts, testing::Values("cuda"), backend_name);

}  // namespace
}  // namespace warpfit::test
