// The beginning and the end of a residual block: sums of two values, in place or not.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "host/backend/operation.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

class AddPass : public OnEachBackend {
 protected:
  // y and dx of an operation whose dy is `dy`; with dy, dx is computed as well.
  std::vector<float> forward(const Operation& operation, const std::vector<float>& x,
                             const std::vector<float>& other, std::int64_t rows) {
    const auto cols = static_cast<std::int64_t>(x.size()) / rows;
    const GuardedFloats xs(*backend_, x), others(*backend_, other), ys(*backend_, rows * cols);
    const auto op = backend_->prepare(operation, rows);
    run_once(
        *backend_,
        [&] {
          op->forward(
              Mode::kTrain,
              {.x = xs.matrix(rows, cols), .y = ys.matrix(rows, cols), .other = others.matrix(rows, cols)});
        },
        one_batch(rows));
    return ys.values();
  }

  std::vector<float> backward(const Operation& operation, const std::vector<float>& dy,
                              const std::vector<float>& other, std::int64_t rows) {
    const auto cols = static_cast<std::int64_t>(dy.size()) / rows;
    const GuardedFloats dys(*backend_, dy), others(*backend_, other), dxs(*backend_, rows * cols);
    const auto op = backend_->prepare(operation, rows);
    run_once(
        *backend_,
        [&] {
          op->backward_input({.dy = dys.matrix(rows, cols),
                              .dx = dxs.matrix(rows, cols),
                              .other = others.matrix(rows, cols)});
        },
        one_batch(rows));
    return dxs.values();
  }
};

TEST_P(AddPass, AddsAndCopies) {
  for (const std::int64_t cols : {1, 3, 4, 31, 33, 1000, 12'345}) {
    constexpr std::int64_t kRows = 3;
    TestValues values;
    const auto x = values.integers(kRows * cols), other = values.integers(kRows * cols);
    Doubles sum, relu;
    for (std::size_t i = 0; i < x.size(); ++i) {
      sum.push_back(x[i] + other[i]);
      relu.push_back(std::max(sum.back(), 0.0));
    }
    EXPECT_TRUE(all_equal(forward(AddOperation{}, x, other, kRows), sum));
    EXPECT_TRUE(all_equal(forward(AddOperation{ActivationKind::kRelu}, x, other, kRows), relu));
    EXPECT_TRUE(all_equal(backward(ForkOperation{}, x, other, kRows), sum));
    const Doubles copy(x.begin(), x.end());
    EXPECT_TRUE(all_equal(forward(ForkOperation{}, x, other, kRows), copy));
    EXPECT_TRUE(all_equal(backward(AddOperation{}, x, other, kRows), copy));
  }
}

// As in PyTorch: otherwise a diverged run would look healthy.
TEST_P(AddPass, HandsOnNan) {
  const std::vector<float> x{1, std::numeric_limits<float>::quiet_NaN(), 2, 3, -7};
  const auto y = forward(AddOperation{ActivationKind::kRelu}, x, {1, 1, 1, 1, 1}, 1);
  EXPECT_TRUE(std::isnan(y[1]));
  EXPECT_EQ(y[4], 0);
}

INSTANTIATE_TEST_SUITE_P(Backends, AddPass, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
