// Convolutions compared with plain loops; with integers every sum is exact.
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

struct ConvShape {
  std::int64_t rows;
  ConvOperation operation;
};

constexpr Windows windows(std::int64_t size, std::int64_t stride = 1, std::int64_t padding = 0,
                          std::int64_t dilation = 1, std::int64_t extra = 0) {
  return {size, stride, padding, dilation, extra};
}

constexpr ConvOperation square(const Image& in, std::int64_t out_channels, const Windows& size,
                               std::int64_t groups = 1, bool bias = true) {
  return {
      .in = in, .out_channels = out_channels, .rows = size, .columns = size, .groups = groups, .bias = bias};
}

// One channel and many, odd images, 1x1 windows, windows that exceed the edges, strides that leave a rest,
// dilation, groups, one group for each channel, rectangles, one sample, more padding at the end.
constexpr std::array<ConvShape, 20> kConvShapes{{
    {2, square({1, 5, 5}, 1, windows(3))},
    {3, square({1, 28, 28}, 6, windows(5, 1, 2))},
    {2, square({6, 14, 14}, 16, windows(5))},
    {5, square({3, 9, 7}, 4, windows(3, 1, 1))},
    {1, square({16, 8, 8}, 32, windows(3, 1, 1))},
    {4, square({5, 6, 6}, 7, windows(1))},
    {2, square({4, 11, 11}, 3, windows(3, 2, 1))},
    {2, square({4, 10, 10}, 3, windows(4, 3))},
    {2, square({2, 9, 9}, 5, windows(3, 1, 2, 2))},
    {2, square({4, 7, 7}, 6, windows(3, 1, 1), 2)},
    {3, square({8, 7, 7}, 8, windows(3, 1, 1), 8)},
    {2, square({6, 5, 5}, 12, windows(3), 6, false)},
    {2, square({33, 4, 4}, 17, windows(3, 1, 1), 1, false)},
    {7, square({3, 1, 1}, 5, windows(1))},
    {2, square({2, 4, 4}, 3, windows(4))},
    {2, {.in = {3, 6, 13}, .out_channels = 4, .rows = windows(3, 2, 1), .columns = windows(5, 1, 0, 2)}},
    {3, square({3, 7, 6}, 5, windows(4, 1, 1, 1, 1))},
    {2, square({16, 8, 8}, 32, windows(2, 1, 0, 1, 1))},
    {2, square({4, 9, 9}, 6, windows(2, 1, 1, 3, 1), 2, false)},
    {2, {.in = {3, 6, 5}, .out_channels = 4, .rows = windows(2, 1, 0, 1, 1), .columns = windows(3, 1, 1)}},
}};

struct ConvValues {
  std::vector<float> x, w, b, dy;
};

struct ConvResults {
  Doubles y, dx, dw, db;
};

// visit(index in x, index in w, index in y) for every product of the convolution.
template <class Visit>
void for_each_product(const ConvShape& shape, const Visit& visit) {
  const auto& [in, out_channels, rows, columns, groups, bias, activation, input_activation] = shape.operation;
  const auto out = shape.operation.out();
  const auto group_in = in.channels / groups, group_out = out_channels / groups;
  for (std::int64_t sample = 0; sample < shape.rows; ++sample) {
    for (std::int64_t top = 0; top < out.height; ++top) {
      for (std::int64_t left = 0; left < out.width; ++left) {
        for (std::int64_t o = 0; o < out_channels; ++o) {
          const auto y = ((sample * out.height + top) * out.width + left) * out_channels + o;
          for (std::int64_t i = 0; i < group_in; ++i) {
            for (std::int64_t r = 0; r < rows.size; ++r) {
              for (std::int64_t s = 0; s < columns.size; ++s) {
                const auto row = top * rows.stride - rows.padding + r * rows.dilation;
                const auto column = left * columns.stride - columns.padding + s * columns.dilation;
                if (row < 0 || row >= in.height || column < 0 || column >= in.width) continue;
                const auto channel = o / group_out * group_in + i;
                visit(((sample * in.height + row) * in.width + column) * in.channels + channel,
                      ((o * group_in + i) * rows.size + r) * columns.size + s, y);
              }
            }
          }
        }
      }
    }
  }
}

class ConvPass : public OnEachBackend {
 protected:
  static ConvResults expected(const ConvShape& shape, const ConvValues& values) {
    const auto channels = static_cast<std::size_t>(shape.operation.out_channels);
    ConvResults e{Doubles(values.dy.size()), Doubles(values.x.size()), Doubles(values.w.size()),
                  Doubles(channels)};
    for_each_product(shape, [&](std::int64_t x, std::int64_t w, std::int64_t y) {
      e.y[y] += double{values.x[x]} * values.w[w];
      e.dx[x] += double{values.dy[y]} * values.w[w];
      e.dw[w] += double{values.dy[y]} * values.x[x];
    });
    for (std::size_t i = 0; i < e.y.size(); ++i) {
      if (shape.operation.bias) e.y[i] += values.b[i % channels];
      if (shape.operation.activation == ActivationKind::kRelu) e.y[i] = std::max(e.y[i], 0.0);
      e.db[i % channels] += values.dy[i];
    }
    for (std::size_t i = 0; i < e.dx.size(); ++i) {
      if (shape.operation.input_activation == ActivationKind::kRelu && values.x[i] <= 0) e.dx[i] = 0;
    }
    return e;
  }

  struct Found {
    std::vector<float> y, dx, dw, db, w, b;
  };

  // A step; the tensors are updated if there is a rate.
  Found run(const ConvShape& shape, const ConvValues& values, float rate = 0) {
    const auto rows = shape.rows, in = shape.operation.in.size(), out = shape.operation.out().size();
    const auto biases = shape.operation.bias ? shape.operation.out_channels : 0;
    const GuardedFloats x(*backend_, values.x), dy(*backend_, values.dy), y(*backend_, rows * out);
    const GuardedFloats dx(*backend_, rows * in), w(*backend_, values.w), b(*backend_, values.b);
    const GuardedFloats dw(*backend_, shape.operation.weights()), db(*backend_, shape.operation.out_channels);
    std::vector tensors{w.vector(), b.vector()}, gradients{dw.vector(), db.vector()};
    if (biases == 0) {
      tensors.pop_back();
      gradients.pop_back();
    }
    const auto op = backend_->prepare(shape.operation, rows);
    const OperationViews views{.x = x.matrix(rows, in),
                               .y = y.matrix(rows, out),
                               .dy = dy.matrix(rows, out),
                               .dx = dx.matrix(rows, in),
                               .tensors = tensors,
                               .gradients = gradients};
    run_once(
        *backend_,
        [&] {
          op->forward(Mode::kTrain, views);
          op->backward_input(views);
          backend_->wait(op->backward_tensors(views));
          if (rate > 0) backend_->wait(op->backward_sgd(views));
        },
        one_batch(rows, rate));
    return {y.values(), dx.values(), dw.values(), biases > 0 ? db.values() : std::vector<float>(),
            w.values(), b.values()};
  }

  template <class Draw>
  static ConvValues values_of(const ConvShape& shape, const Draw& draw) {
    const auto& operation = shape.operation;
    return {draw(shape.rows * operation.in.size()), draw(operation.weights()), draw(operation.out_channels),
            draw(shape.rows * operation.out().size())};
  }
};

std::string text_of(const ConvShape& shape) {
  const auto& [in, out_channels, rows, columns, groups, bias, activation, input_activation] = shape.operation;
  return testing::PrintToString(std::array{shape.rows, in.channels, in.height, in.width, out_channels,
                                           rows.size, columns.size, groups});
}

TEST_P(ConvPass, AgreesWithLoopsOverProducts) {
  for (auto shape : kConvShapes) {
    SCOPED_TRACE(text_of(shape));
    TestValues numbers;
    const auto values = values_of(shape, [&](std::int64_t size) { return numbers.integers(size); });
    for (const auto activation : {ActivationKind::kNone, ActivationKind::kRelu}) {
      shape.operation.activation = shape.operation.input_activation = activation;
      const auto e = expected(shape, values);
      const auto found = run(shape, values);
      EXPECT_TRUE(all_equal(found.y, e.y));
      EXPECT_TRUE(all_equal(found.dx, e.dx));
      EXPECT_TRUE(all_equal(found.dw, e.dw));
      if (!shape.operation.bias) continue;
      EXPECT_TRUE(all_equal(found.db, e.db));
    }
  }
}

TEST_P(ConvPass, IsAccurateForFractions) {
  for (const auto& shape : kConvShapes) {
    SCOPED_TRACE(text_of(shape));
    TestValues numbers;
    const auto values = values_of(shape, [&](std::int64_t size) { return numbers.uniform(size); });
    const auto e = expected(shape, values);
    const auto found = run(shape, values);
    const auto bound = [](std::int64_t terms) {
      return Tolerance{6e-7 * std::sqrt(static_cast<double>(terms)), 1e-6};
    };
    const auto& operation = shape.operation;
    EXPECT_TRUE(all_close(found.y, e.y, bound(operation.weights() / operation.out_channels + 1)));
    EXPECT_TRUE(all_close(found.dx, e.dx, bound(operation.weights())));
    EXPECT_TRUE(all_close(found.dw, e.dw, bound(shape.rows * operation.out().pixels())));
  }
}

TEST_P(ConvPass, UpdatesItsTensors) {
  constexpr float kRate = 0.5F;
  for (const auto at : {1U, 4U, 9U, 11U, 12U}) {
    const auto& shape = kConvShapes.at(at);
    TestValues numbers;
    const auto values = values_of(shape, [&](std::int64_t size) { return numbers.integers(size); });
    const auto e = expected(shape, values);
    const auto found = run(shape, values, kRate);
    Doubles w(values.w.begin(), values.w.end()), b(values.b.begin(), values.b.end());
    for (std::size_t i = 0; i < w.size(); ++i) w[i] -= kRate * e.dw[i];
    for (std::size_t i = 0; shape.operation.bias && i < b.size(); ++i) b[i] -= kRate * e.db[i];
    EXPECT_TRUE(all_equal(found.w, w));
    EXPECT_TRUE(all_equal(found.b, b));
  }
}

// As in PyTorch: otherwise a diverged run would look healthy.
TEST_P(ConvPass, HandsOnNan) {
  ConvShape shape{1, square({1, 3, 3}, 1, windows(2))};
  shape.operation.activation = ActivationKind::kRelu;
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const auto found = run(shape, {{kNan, 1, 1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1}, {0}, {0, 0, 0, 0}});
  EXPECT_TRUE(std::isnan(found.y[0]));
  EXPECT_EQ(found.y[3], 4);
}

INSTANTIATE_TEST_SUITE_P(Backends, ConvPass, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
