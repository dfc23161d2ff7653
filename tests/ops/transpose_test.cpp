// Transposition of each sample compared with a plain loop.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "host/backend/operation.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

struct MatrixShape {
  std::int64_t samples, rows, columns;
};

class TransposePass : public OnEachBackend {};

TEST_P(TransposePass, SwapsRowsAndColumnsThereAndBack) {
  constexpr std::array<MatrixShape, 9> kShapes{{{1, 1, 7},
                                                {3, 7, 1},
                                                {2, 3, 1024},
                                                {5, 16, 49},
                                                {64, 31, 33},
                                                {2, 32, 32},
                                                {7, 33, 65},
                                                {1, 128, 127},
                                                {300, 2, 2}}};
  for (const auto& shape : kShapes) {
    SCOPED_TRACE(testing::Message() << shape.samples << " x " << shape.rows << " x " << shape.columns);
    const auto size = shape.rows * shape.columns;
    TestValues values;
    const auto x = values.integers(shape.samples * size);
    Doubles y(x.size());
    for (std::int64_t sample = 0; sample < shape.samples; ++sample) {
      for (std::int64_t i = 0; i < shape.rows; ++i) {
        for (std::int64_t j = 0; j < shape.columns; ++j)
          y[sample * size + j * shape.rows + i] = x[sample * size + i * shape.columns + j];
      }
    }
    const GuardedFloats xs(*backend_, x), ys(*backend_, shape.samples * size);
    const GuardedFloats dxs(*backend_, shape.samples * size);
    const auto op = backend_->prepare(TransposeOperation{shape.rows, shape.columns}, shape.samples);
    // The gradient of y is y itself, so that of x must be x again.
    const OperationViews views{.x = xs.matrix(shape.samples, size),
                               .y = ys.matrix(shape.samples, size),
                               .dy = ys.matrix(shape.samples, size),
                               .dx = dxs.matrix(shape.samples, size)};
    run_once(
        *backend_,
        [&] {
          op->forward(Mode::kTrain, views);
          op->backward_input(views);
        },
        one_batch(shape.samples));
    EXPECT_TRUE(all_equal(ys.values(), y));
    EXPECT_TRUE(all_equal(dxs.values(), Doubles(x.begin(), x.end())));
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, TransposePass, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
