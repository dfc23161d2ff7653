#include <gtest/gtest.h>

#include <array>

#include "tests/support/comparison.hpp"
#include "tests/support/linear_layer.hpp"

namespace warpfit::test {
namespace {

const std::array<LayerShape, 20> kShapes{{{1, 1, 2},       {1, 784, 10},  {7, 31, 33},     {31, 7, 32},
                                          {32, 32, 32},    {33, 33, 31},  {64, 784, 512},  {64, 512, 512},
                                          {64, 512, 10},   {32, 512, 10}, {127, 128, 129}, {128, 127, 1},
                                          {129, 129, 128}, {16, 1000, 7}, {1000, 5, 1000}, {2, 3, 1000},
                                          {64, 10, 512},   {1, 512, 512}, {65, 255, 257},  {3, 1, 1}}};

class LinearTest : public OnEachBackend {};

TEST_P(LinearTest, IsExactOnIntegers) {
  constexpr float kRate = 0.5F;
  for (const auto& s : kShapes) {
    SCOPED_TRACE(testing::Message() << s.rows << " rows, " << s.inputs << " to " << s.outputs);
    const LayerValues values(s, true);
    LayerOnBackend layer(*backend_, s, values);
    const auto y = reference_linear(values.x, values.w, values.b, s.rows);
    EXPECT_TRUE(all_equal(layer.forward(ActivationKind::kNone), y));
    EXPECT_TRUE(all_equal(layer.forward(ActivationKind::kRelu), relu(y)));
    const auto dx = reference_linear_input_gradient(values.dy, values.w, s.rows, s.outputs);
    EXPECT_TRUE(all_equal(layer.backward_input(ActivationKind::kNone), dx));
    EXPECT_TRUE(all_equal(layer.backward_input(ActivationKind::kRelu), masked(dx, values.x)));
    const auto dw = reference_weight_gradient(values.x, values.dy, s.rows);
    const auto db = reference_bias_gradient(values.dy, s.rows);
    const auto gradients = layer.backward_weights();
    EXPECT_TRUE(all_equal(gradients[0], dw));
    EXPECT_TRUE(all_equal(gradients[1], db));
    const auto [w, b] = layer.backward_sgd(kRate);
    EXPECT_TRUE(all_equal(w, updated(values.w, dw, kRate)));
    EXPECT_TRUE(all_equal(b, updated(values.b, db, kRate)));
  }
}

TEST_P(LinearTest, StaysWithinRoundingOnFloats) {
  constexpr float kRate = 1e-2F;
  for (const auto& s : kShapes) {
    SCOPED_TRACE(testing::Message() << s.rows << " rows, " << s.inputs << " to " << s.outputs);
    const LayerValues values(s, false);
    LayerOnBackend layer(*backend_, s, values);
    const auto y = reference_linear(values.x, values.w, values.b, s.rows);
    EXPECT_TRUE(all_close(layer.forward(ActivationKind::kRelu), relu(y), rounding_of(s.inputs)));
    const auto dx = reference_linear_input_gradient(values.dy, values.w, s.rows, s.outputs);
    EXPECT_TRUE(all_close(layer.backward_input(ActivationKind::kNone), dx, rounding_of(s.outputs)));
    const auto [w, b] = layer.backward_sgd(kRate);
    const auto tolerance = rounding_of(s.rows);
    const auto dw = reference_weight_gradient(values.x, values.dy, s.rows);
    EXPECT_TRUE(all_close(w, updated(values.w, dw, kRate), tolerance));
    const auto db = reference_bias_gradient(values.dy, s.rows);
    EXPECT_TRUE(all_close(b, updated(values.b, db, kRate), tolerance));
  }
}

TEST_P(LinearTest, ReluPassesNothingAtZero) {
  const LayerShape s{1, 4, 1};
  LayerValues values(s, true);
  values.x = {0.0F, -0.0F, 1e-30F, 2.0F};
  values.w = {1, 1, 1, 1};
  values.dy = {3};
  EXPECT_TRUE(all_equal(LayerOnBackend(*backend_, s, values).backward_input(ActivationKind::kRelu),
                        Doubles{0, 0, 3, 3}));
}

TEST_P(LinearTest, GivesTheSameBitsEachTime) {
  for (const LayerShape& s : {LayerShape{64, 784, 512}, LayerShape{33, 129, 10}}) {
    const LayerValues values(s, false);
    LayerOnBackend layer(*backend_, s, values);
    LayerOnBackend again(*backend_, s, values);
    EXPECT_EQ(layer.forward(ActivationKind::kRelu), again.forward(ActivationKind::kRelu));
    EXPECT_EQ(layer.backward_sgd(0.1F), again.backward_sgd(0.1F));
  }
}

// A layer without bias: its only tensor and gradient are those of the weights.
TEST_P(LinearTest, DoesWithoutABias) {
  const LayerShape s{5, 7, 3};
  const LayerValues values(s, true);
  const GuardedFloats x(*backend_, values.x), w(*backend_, values.w), dy(*backend_, values.dy);
  const GuardedFloats y(*backend_, s.rows * s.outputs), dw(*backend_, s.outputs * s.inputs);
  const std::vector<Vector> tensors{w.vector()}, gradients{dw.vector()};
  const auto op = backend_->prepare(
      LinearOperation{
          .inputs = s.inputs, .outputs = s.outputs, .bias = false, .activation = ActivationKind::kRelu},
      s.rows);
  const OperationViews views{.x = x.matrix(s.rows, s.inputs),
                             .y = y.matrix(s.rows, s.outputs),
                             .dy = dy.matrix(s.rows, s.outputs),
                             .tensors = tensors,
                             .gradients = gradients};
  // The second pass follows an update, which must not touch a bias that does not exist.
  for (int pass = 0; pass < 2; ++pass) {
    const auto weights = w.values();
    run_once(
        *backend_,
        [&] {
          op->forward(Mode::kTrain, views);
          backend_->wait(op->backward_tensors(views));
          backend_->wait(op->backward_sgd(views));
        },
        one_batch(s.rows, 2));
    const std::vector<float> none(static_cast<std::size_t>(s.outputs));
    EXPECT_TRUE(all_equal(y.values(), relu(reference_linear(values.x, weights, none, s.rows))));
    const auto expected = reference_weight_gradient(values.x, values.dy, s.rows);
    EXPECT_TRUE(all_equal(dw.values(), expected));
    EXPECT_TRUE(all_equal(w.values(), updated(weights, expected, 2)));
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, LinearTest, testing::ValuesIn(gemm_backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
