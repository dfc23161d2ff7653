#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

struct Shape {
  std::int64_t rows, inputs, outputs;
};

const std::array<Shape, 20> kShapes{{{1, 1, 2},       {1, 784, 10},  {7, 31, 33},     {31, 7, 32},
                                     {32, 32, 32},    {33, 33, 31},  {64, 784, 512},  {64, 512, 512},
                                     {64, 512, 10},   {32, 512, 10}, {127, 128, 129}, {128, 127, 1},
                                     {129, 129, 128}, {16, 1000, 7}, {1000, 5, 1000}, {2, 3, 1000},
                                     {64, 10, 512},   {1, 512, 512}, {65, 255, 257},  {3, 1, 1}}};

Doubles relu(Doubles values) {
  for (double& value : values) value = std::max(value, 0.0);
  return values;
}

// Inputs of one layer. Integers make every sum exact, whatever its order.
struct Layer {
  std::vector<float> x, w, b, dy;

  Layer(const Shape& s, bool integers) {
    TestValues values;
    const auto draw = [&](std::int64_t size, double bound) {
      return integers ? values.integers(size) : values.uniform(size, bound);
    };
    x = draw(s.rows * s.inputs, 1);
    w = draw(s.outputs * s.inputs, 1 / std::sqrt(static_cast<double>(s.inputs)));
    b = draw(s.outputs, 1);
    dy = draw(s.rows * s.outputs, 1 / std::sqrt(static_cast<double>(std::max(s.rows, s.outputs))));
  }
};

class LinearTest : public OnEachBackend {
 protected:
  std::vector<float> forward(const Layer& layer, const Shape& s, Activation activation) {
    const GuardedFloats x(*backend_, layer.x);
    const GuardedFloats w(*backend_, layer.w);
    const GuardedFloats b(*backend_, layer.b);
    const GuardedFloats y(*backend_, s.rows * s.outputs);
    run_once(
        *backend_,
        [&] {
          backend_->linear_forward(x.matrix(s.rows, s.inputs), w.matrix(s.outputs, s.inputs), b.vector(),
                                   activation, y.matrix(s.rows, s.outputs));
        },
        one_batch(s.rows));
    return y.values();
  }

  std::vector<float> backward_input(const Layer& layer, const Shape& s, Activation activation) {
    const GuardedFloats x(*backend_, layer.x);
    const GuardedFloats w(*backend_, layer.w);
    const GuardedFloats dy(*backend_, layer.dy);
    const GuardedFloats dx(*backend_, s.rows * s.inputs);
    run_once(
        *backend_,
        [&] {
          backend_->linear_backward_input(dy.matrix(s.rows, s.outputs), w.matrix(s.outputs, s.inputs),
                                          x.matrix(s.rows, s.inputs), activation,
                                          dx.matrix(s.rows, s.inputs));
        },
        one_batch(s.rows));
    return dx.values();
  }

  // The new weights, then the new biases.
  std::array<std::vector<float>, 2> backward_sgd(const Layer& layer, const Shape& s, float rate) {
    const GuardedFloats x(*backend_, layer.x);
    const GuardedFloats dy(*backend_, layer.dy);
    const GuardedFloats w(*backend_, layer.w);
    const GuardedFloats b(*backend_, layer.b);
    run_once(
        *backend_,
        [&] {
          backend_->linear_backward_sgd(x.matrix(s.rows, s.inputs), dy.matrix(s.rows, s.outputs),
                                        w.matrix(s.outputs, s.inputs), b.vector());
        },
        one_batch(s.rows, rate));
    return {w.values(), b.values()};
  }
};

Doubles updated(std::span<const float> parameters, const Doubles& gradients, double rate) {
  Doubles result(parameters.begin(), parameters.end());
  for (std::size_t i = 0; i < result.size(); ++i) result[i] -= rate * gradients[i];
  return result;
}

// Gradients that ReLU's output x lets through.
Doubles masked(Doubles gradients, std::span<const float> x) {
  for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i] = x[i] > 0 ? gradients[i] : 0;
  return gradients;
}

TEST_P(LinearTest, IsExactOnIntegers) {
  constexpr float kRate = 0.5F;
  for (const auto& s : kShapes) {
    SCOPED_TRACE(testing::Message() << s.rows << " rows, " << s.inputs << " to " << s.outputs);
    const Layer layer(s, true);
    const auto y = reference_linear(layer.x, layer.w, layer.b, s.rows);
    EXPECT_TRUE(all_equal(forward(layer, s, Activation::kNone), y));
    EXPECT_TRUE(all_equal(forward(layer, s, Activation::kRelu), relu(y)));
    const auto dx = reference_linear_input_gradient(layer.dy, layer.w, s.rows, s.outputs);
    EXPECT_TRUE(all_equal(backward_input(layer, s, Activation::kNone), dx));
    EXPECT_TRUE(all_equal(backward_input(layer, s, Activation::kRelu), masked(dx, layer.x)));
    const auto [w, b] = backward_sgd(layer, s, kRate);
    EXPECT_TRUE(all_equal(w, updated(layer.w, reference_weight_gradient(layer.x, layer.dy, s.rows), kRate)));
    EXPECT_TRUE(all_equal(b, updated(layer.b, reference_bias_gradient(layer.dy, s.rows), kRate)));
  }
}

TEST_P(LinearTest, StaysWithinRoundingOnFloats) {
  constexpr float kRate = 1e-2F;
  for (const auto& s : kShapes) {
    SCOPED_TRACE(testing::Message() << s.rows << " rows, " << s.inputs << " to " << s.outputs);
    const Layer layer(s, false);
    const auto y = reference_linear(layer.x, layer.w, layer.b, s.rows);
    EXPECT_TRUE(all_close(forward(layer, s, Activation::kRelu), relu(y), rounding_of(s.inputs)));
    const auto dx = reference_linear_input_gradient(layer.dy, layer.w, s.rows, s.outputs);
    EXPECT_TRUE(all_close(backward_input(layer, s, Activation::kNone), dx, rounding_of(s.outputs)));
    const auto [w, b] = backward_sgd(layer, s, kRate);
    const auto tolerance = rounding_of(s.rows);
    EXPECT_TRUE(all_close(w, updated(layer.w, reference_weight_gradient(layer.x, layer.dy, s.rows), kRate),
                          tolerance));
    EXPECT_TRUE(all_close(b, updated(layer.b, reference_bias_gradient(layer.dy, s.rows), kRate), tolerance));
  }
}

TEST_P(LinearTest, ReluPassesNothingAtZero) {
  const Shape s{1, 4, 1};
  Layer layer(s, true);
  layer.x = {0.0F, -0.0F, 1e-30F, 2.0F};
  layer.w = {1, 1, 1, 1};
  layer.dy = {3};
  EXPECT_TRUE(all_equal(backward_input(layer, s, Activation::kRelu), Doubles{0, 0, 3, 3}));
}

TEST_P(LinearTest, GivesTheSameBitsEachTime) {
  for (const Shape& s : {Shape{64, 784, 512}, Shape{33, 129, 10}}) {
    const Layer layer(s, false);
    EXPECT_EQ(forward(layer, s, Activation::kRelu), forward(layer, s, Activation::kRelu));
    EXPECT_EQ(backward_sgd(layer, s, 0.1F), backward_sgd(layer, s, 0.1F));
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, LinearTest, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
