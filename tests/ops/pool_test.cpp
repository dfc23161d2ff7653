// Pooling compared with plain loops over windows; with integers every sum and maximum is exact.
#include <gtest/gtest.h>

#include <array>
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

struct PoolShape {
  std::int64_t rows;
  Image in;
  Windows down, across;
};

constexpr Windows square(std::int64_t size, std::int64_t stride, std::int64_t padding = 0) {
  return {size, stride, padding};
}

// Windows that are adjacent, have gaps, overlap, exceed the edges, or cover the whole image or one value.
constexpr std::array<PoolShape, 12> kPoolShapes{{
    {2, {13, 6, 7}, square(3, 2, 1), square(2, 2)},
    {2, {1, 4, 4}, square(2, 2), square(2, 2)},
    {3, {5, 7, 9}, square(2, 2), square(2, 2)},
    {2, {3, 8, 8}, square(3, 2, 1), square(3, 2, 1)},
    {1, {2, 5, 5}, square(2, 1), square(2, 1)},
    {4, {2, 11, 6}, square(2, 3), square(2, 3)},
    {2, {3, 6, 6}, square(4, 1, 2), square(4, 1, 2)},
    {65, {33, 3, 2}, square(3, 3), square(2, 2)},
    {7, {3, 1, 1}, square(1, 1), square(1, 1)},
    {1, {1, 28, 28}, square(28, 28), square(28, 28)},
    {2, {2, 9, 1}, square(3, 2), square(1, 1)},
    {5, {1, 6, 13}, square(5, 4, 2), square(3, 5, 1)},
}};

class PoolPass : public OnEachBackend {
 protected:
  struct Result {
    std::vector<float> y, dx;
  };

  static PoolOperation operation(const PoolShape& shape, PoolKind kind) {
    return {.kind = kind, .in = shape.in, .rows = shape.down, .columns = shape.across};
  }

  Result run(const PoolShape& shape, PoolKind kind, const std::vector<float>& x, const std::vector<float>& dy,
             ActivationKind activation = ActivationKind::kNone) {
    auto operation = PoolPass::operation(shape, kind);
    operation.activation = activation;
    const auto size = shape.in.size(), out = operation.out().size();
    const GuardedFloats xs(*backend_, x), ys(*backend_, shape.rows * out);
    const GuardedFloats dys(*backend_, dy), dxs(*backend_, shape.rows * size);
    const auto op = backend_->prepare(operation, shape.rows);
    const OperationViews views{.x = xs.matrix(shape.rows, size),
                               .y = ys.matrix(shape.rows, out),
                               .dy = dys.matrix(shape.rows, out),
                               .dx = dxs.matrix(shape.rows, size)};
    run_once(
        *backend_,
        [&] {
          op->forward(Mode::kTrain, views);
          op->backward_input(views);
        },
        one_batch(shape.rows));
    return {ys.values(), dxs.values()};
  }

  // The expected y and dx, window by window: each gradient is added to the values that the result depends on.
  static std::pair<Doubles, Doubles> expected(const PoolShape& shape, PoolKind kind,
                                              const std::vector<float>& x, const std::vector<float>& dy) {
    const auto height = shape.in.height, width = shape.in.width;
    Doubles y, dx(x.size());
    const auto out = operation(shape, kind).out();
    y.resize(dy.size());
    for (std::int64_t plane = 0; plane < shape.rows * shape.in.channels; ++plane) {
      const auto sample = plane / shape.in.channels, channel = plane % shape.in.channels;
      std::int64_t window = sample * out.height * out.width;
      for (auto top = -shape.down.padding; top + shape.down.size <= height + shape.down.padding;
           top += shape.down.stride) {
        for (auto left = -shape.across.padding; left + shape.across.size <= width + shape.across.padding;
             left += shape.across.stride, ++window) {
          const auto result = static_cast<std::size_t>(window * out.channels + channel);
          const double gradient = dy[result];
          const auto values = static_cast<double>(shape.down.size * shape.across.size);
          double sum = 0, largest = -std::numeric_limits<double>::infinity();
          std::size_t at = 0;
          for (auto row = std::max<std::int64_t>(top, 0); row < std::min(top + shape.down.size, height);
               ++row) {
            for (auto column = std::max<std::int64_t>(left, 0);
                 column < std::min(left + shape.across.size, width); ++column) {
              const auto i = static_cast<std::size_t>(
                  ((sample * height + row) * width + column) * shape.in.channels + channel);
              sum += x[i];
              if (x[i] > largest) at = i;
              largest = std::max<double>(largest, x[i]);
              if (kind == PoolKind::kAverage) dx[i] += gradient / values;
            }
          }
          if (kind == PoolKind::kMax) dx[at] += gradient;
          y[result] = kind == PoolKind::kMax ? largest : sum / values;
        }
      }
    }
    return {y, dx};
  }
};

TEST_P(PoolPass, AgreesWithLoopsOverWindows) {
  for (const auto& shape : kPoolShapes) {
    for (const auto kind : {PoolKind::kMax, PoolKind::kAverage}) {
      SCOPED_TRACE(testing::Message() << shape.rows << " x " << shape.in.channels << " x " << shape.in.height
                                      << " x " << shape.in.width << ", windows " << shape.down.size << " x "
                                      << shape.across.size << (kind == PoolKind::kMax ? ", max" : ", mean"));
      TestValues values;
      // With few different integers, many windows have several equal maxima.
      const auto x = values.integers(shape.rows * shape.in.size());
      const auto dy = values.integers(shape.rows * operation(shape, kind).out().size());
      const auto [y, dx] = expected(shape, kind, x, dy);
      const auto found = run(shape, kind, x, dy);
      if (kind == PoolKind::kMax) {
        EXPECT_TRUE(all_equal(found.y, y));
        EXPECT_TRUE(all_equal(found.dx, dx));
      } else {
        EXPECT_TRUE(all_close(found.y, y, {1e-6, 1e-6}));
        EXPECT_TRUE(all_close(found.dx, dx, {2e-6, 2e-6}));
      }
    }
  }
}

// ReLU of the results, whose gradient is 0 where the largest value is not above 0.
TEST_P(PoolPass, IncludesRelu) {
  for (const auto& shape : kPoolShapes) {
    TestValues values;
    const auto x = values.integers(shape.rows * shape.in.size());
    auto dy = values.integers(shape.rows * operation(shape, PoolKind::kMax).out().size());
    const auto found = run(shape, PoolKind::kMax, x, dy, ActivationKind::kRelu);
    auto y = expected(shape, PoolKind::kMax, x, dy).first;
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (y[i] <= 0) y[i] = dy[i] = 0;
    }
    EXPECT_TRUE(all_equal(found.y, y));
    EXPECT_TRUE(all_equal(found.dx, expected(shape, PoolKind::kMax, x, dy).second));
  }
}

// As in PyTorch: otherwise a diverged run would look healthy.
TEST_P(PoolPass, HandsOnNan) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const PoolShape shape{1, {1, 2, 4}, square(2, 2), square(2, 2)};
  const auto found = run(shape, PoolKind::kMax, {1, kNan, 5, 6, 7, 2, 3, 4}, {1, 2});
  EXPECT_TRUE(std::isnan(found.y[0]));
  EXPECT_EQ(found.y[1], 6);
  EXPECT_EQ(found.dx, (std::vector<float>{0, 1, 0, 2, 0, 0, 0, 0}));
  const auto activated =
      run(shape, PoolKind::kMax, {1, kNan, 5, 6, 7, 2, 3, 4}, {1, 2}, ActivationKind::kRelu);
  EXPECT_TRUE(std::isnan(activated.y[0]));
}

INSTANTIATE_TEST_SUITE_P(Backends, PoolPass, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
