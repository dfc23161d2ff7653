#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

constexpr std::array<std::int64_t, 11> kEdges{1, 3, 7, 31, 32, 33, 127, 128, 129, 512, 1000};

// Bias and ReLU after a product with one input, which is exact for integers. With CUDA this tests the kernels
// that follow cuBLAS's products; this project's own GEMM kernels include bias and ReLU.
class Relu : public OnEachBackend {
 protected:
  // The output and the bias begin as many floats after an aligned address as their skew says.
  void check_forward(std::int64_t rows, std::int64_t outputs, std::size_t skew = 0,
                     std::size_t bias_skew = 0) {
    SCOPED_TRACE(testing::Message() << rows << " rows, " << outputs << " outputs, skewed by " << skew
                                    << " and " << bias_skew);
    TestValues values;
    const auto x = values.integers(rows);
    const auto w = values.integers(outputs);
    const auto b = values.integers(outputs);
    const GuardedFloats inputs(*backend_, x);
    const GuardedFloats weights(*backend_, w);
    const GuardedFloats bias(*backend_, b, bias_skew);
    for (const auto activation : {ActivationKind::kRelu, ActivationKind::kNone}) {
      const GuardedFloats y(*backend_, rows * outputs, skew);
      const std::vector<Vector> tensors{weights.vector(), bias.vector()};
      const auto op =
          backend_->prepare(LinearOperation{.inputs = 1, .outputs = outputs, .activation = activation}, rows);
      run_once(
          *backend_,
          [&] {
            op->forward(Mode::kTrain,
                        {.x = inputs.matrix(rows, 1), .y = y.matrix(rows, outputs), .tensors = tensors});
          },
          one_batch(rows));
      auto expected = reference_linear(x, w, b, rows);
      if (activation == ActivationKind::kRelu) {
        for (double& value : expected) value = std::max(value, 0.0);
      }
      EXPECT_TRUE(all_equal(y.values(), expected));
    }
  }

  void check_backward(std::int64_t rows, std::int64_t inputs, std::size_t skew = 0,
                      std::size_t gradient_skew = 0) {
    SCOPED_TRACE(testing::Message() << rows << " rows, " << inputs << " inputs, skewed by " << skew << " and "
                                    << gradient_skew);
    TestValues values;
    const auto output = values.integers(rows * inputs);
    const auto w = values.integers(inputs);
    const auto dy = values.integers(rows);
    const GuardedFloats x(*backend_, output, skew);
    const GuardedFloats weights(*backend_, w);
    const GuardedFloats gradients(*backend_, dy);
    const GuardedFloats dx(*backend_, rows * inputs, gradient_skew);
    const std::vector<Vector> tensors{weights.vector()};
    const auto op = backend_->prepare(
        LinearOperation{
            .inputs = inputs, .outputs = 1, .bias = false, .input_activation = ActivationKind::kRelu},
        rows);
    run_once(
        *backend_,
        [&] {
          op->backward_input({.x = x.matrix(rows, inputs),
                              .dy = gradients.matrix(rows, 1),
                              .dx = dx.matrix(rows, inputs),
                              .tensors = tensors});
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

TEST_P(Relu, TakesAnyAlignment) {
  for (const std::size_t skew : {0, 1, 2, 3}) {
    for (const std::size_t other : {0, 1, 2, 3}) {
      check_forward(3, 12, skew, other);
      check_backward(3, 12, skew, other);
    }
  }
}

// More elements than there are threads in the largest grid.
TEST_P(Relu, TakesRowsWiderThanAGrid) {
  check_forward(1, 4 * 256 * 1024 + 8);
  check_backward(1, 4 * 256 * 4096 + 9);
}

TEST_P(Relu, TakesMoreRowsThanAGridHas) { check_forward(2 * 65'535 + 3, 1); }

// If a NaN or an infinity were lost, a diverged run would look healthy.
TEST_P(Relu, KeepsNan) {
  for (const std::int64_t outputs : {1, 4}) {
    const std::vector<float> nans(static_cast<std::size_t>(outputs), std::numeric_limits<float>::quiet_NaN());
    const GuardedFloats x(*backend_, std::vector<float>{1});
    const GuardedFloats w(*backend_, nans);
    const GuardedFloats b(*backend_, std::vector<float>(nans.size()));
    const GuardedFloats y(*backend_, std::vector<float>(nans.size()));
    const std::vector<Vector> tensors{w.vector(), b.vector()};
    const auto op = backend_->prepare(
        LinearOperation{.inputs = 1, .outputs = outputs, .activation = ActivationKind::kRelu}, 1);
    run_once(
        *backend_,
        [&] {
          op->forward(Mode::kTrain, {.x = x.matrix(1, 1), .y = y.matrix(1, outputs), .tensors = tensors});
        },
        one_batch(1));
    for (const float value : y.values()) EXPECT_TRUE(std::isnan(value)) << value;
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, Relu, testing::Values("cpu", "cuda_blas"), backend_name);

}  // namespace
}  // namespace warpfit::test
