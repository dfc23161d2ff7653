#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

constexpr std::array<std::int64_t, 11> kEdges{1, 3, 7, 31, 32, 33, 127, 128, 129, 512, 1000};

// Bias and ReLU behind a product with one input, which is exact on integers.
class Relu : public OnEachBackend {
 protected:
  void check_forward(std::int64_t rows, std::int64_t outputs) {
    SCOPED_TRACE(testing::Message() << rows << " rows, " << outputs << " outputs");
    TestValues values;
    const auto x = values.integers(rows);
    const auto w = values.integers(outputs);
    const auto b = values.integers(outputs);
    const GuardedFloats inputs(*backend_, x);
    const GuardedFloats weights(*backend_, w);
    const GuardedFloats bias(*backend_, b);
    for (const auto activation : {Activation::kRelu, Activation::kNone}) {
      const GuardedFloats y(*backend_, rows * outputs);
      run_once(
          *backend_,
          [&] {
            backend_->linear_forward(inputs.matrix(rows, 1), weights.matrix(outputs, 1), bias.vector(),
                                     activation, y.matrix(rows, outputs));
          },
          one_batch(rows));
      auto expected = reference_linear(x, w, b, rows);
      if (activation == Activation::kRelu) {
        for (double& value : expected) value = std::max(value, 0.0);
      }
      EXPECT_TRUE(all_equal(y.values(), expected));
    }
  }

  void check_backward(std::int64_t rows, std::int64_t inputs) {
    SCOPED_TRACE(testing::Message() << rows << " rows, " << inputs << " inputs");
    TestValues values;
    const auto output = values.integers(rows * inputs);
    const auto w = values.integers(inputs);
    const auto dy = values.integers(rows);
    const GuardedFloats x(*backend_, output);
    const GuardedFloats weights(*backend_, w);
    const GuardedFloats gradients(*backend_, dy);
    const GuardedFloats dx(*backend_, rows * inputs);
    run_once(
        *backend_,
        [&] {
          backend_->linear_backward_input(gradients.matrix(rows, 1), weights.matrix(1, inputs),
                                          x.matrix(rows, inputs), Activation::kRelu, dx.matrix(rows, inputs));
        },
        one_batch(rows));
    auto expected = reference_linear_input_gradient(dy, w, rows, 1);
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = output[i] > 0 ? expected[i] : 0;
    EXPECT_TRUE(all_equal(dx.values(), expected));
  }
};

TEST_P(Relu, ForwardAddsTheBiasAndCutsAtZeroAtEveryShape) {
  for (const auto rows : kEdges) check_forward(rows, 33);
  for (const auto outputs : kEdges) check_forward(5, outputs);
}

TEST_P(Relu, BackwardPassesWhatForwardPassedAtEveryShape) {
  for (const auto rows : kEdges) check_backward(rows, 33);
  for (const auto inputs : kEdges) check_backward(5, inputs);
}

INSTANTIATE_TEST_SUITE_P(Backends, Relu, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
