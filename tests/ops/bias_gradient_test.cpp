#include <gtest/gtest.h>

#include <array>

#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

constexpr std::array<std::int64_t, 10> kEdges{1, 7, 31, 32, 33, 127, 128, 129, 512, 1000};

// Tested through the backward pass of a layer with one input, whose weight gradients linear_test checks. With
// CUDA this tests the kernel that follows cuBLAS's products.
class BiasGradient : public OnEachBackend {
 protected:
  void check(std::int64_t rows, std::int64_t outputs) {
    SCOPED_TRACE(testing::Message() << rows << " rows, " << outputs << " outputs");
    TestValues values;
    const auto x = values.integers(rows);
    const auto dy = values.integers(rows * outputs);
    const auto old = values.integers(outputs);
    const GuardedFloats inputs(*backend_, x);
    const GuardedFloats gradients(*backend_, dy);
    const GuardedFloats dw(*backend_, outputs);
    const GuardedFloats db(*backend_, outputs);
    const GuardedFloats w(*backend_, old);
    const GuardedFloats b(*backend_, old);
    const std::vector<Vector> tensors{w.vector(), b.vector()};
    const std::vector<Vector> tensor_gradients{dw.vector(), db.vector()};
    const auto op = backend_->prepare(LinearOperation{.inputs = 1, .outputs = outputs}, rows);
    const OperationViews views{.x = inputs.matrix(rows, 1),
                               .dy = gradients.matrix(rows, outputs),
                               .tensors = tensors,
                               .gradients = tensor_gradients};
    run_once(
        *backend_,
        [&] {
          op->backward_tensors(views);
          op->backward_sgd(views);
        },
        one_batch(rows, 2.0F));

    const auto expected = reference_bias_gradient(dy, rows);
    EXPECT_TRUE(all_equal(db.values(), expected));
    EXPECT_TRUE(all_equal(dw.values(), reference_weight_gradient(x, dy, rows)));
    Doubles updated;
    for (std::size_t i = 0; i < old.size(); ++i) updated.push_back(old[i] - 2 * expected[i]);
    EXPECT_TRUE(all_equal(b.values(), updated));
  }
};

TEST_P(BiasGradient, IsExactOnIntegersAtEveryShape) {
  for (const auto rows : kEdges) check(rows, 33);
  for (const auto outputs : kEdges) check(64, outputs);
}

INSTANTIATE_TEST_SUITE_P(Backends, BiasGradient, testing::Values("cpu", "cuda_blas"), backend_name);

}  // namespace
}  // namespace warpfit::test
