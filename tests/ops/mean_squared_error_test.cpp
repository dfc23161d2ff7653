#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

class MeanSquaredError : public OnEachBackend {
 protected:
  struct Result {
    Metrics metrics;
    std::vector<float> doutputs;
  };

  Result run(const std::vector<float>& outputs, const std::vector<Label>& labels, bool with_gradient = true) {
    const auto rows = static_cast<std::int64_t>(labels.size());
    const auto classes = static_cast<std::int64_t>(outputs.size()) / rows;
    const GuardedFloats y(*backend_, outputs);
    const GuardedFloats dy(*backend_, rows * classes);
    const Buffer<Label> answers(*backend_, labels);
    const Buffer<Metrics> metrics(*backend_, std::vector<Metrics>(1));
    const auto op = backend_->prepare(Loss{.kind = LossKind::kMse}, classes, rows);
    run_once(
        *backend_,
        [&] {
          op->add(y.matrix(rows, classes), answers.view(),
                  with_gradient ? dy.matrix(rows, classes) : Matrix{}, metrics.data());
        },
        one_batch(rows));
    return {metrics.to_host().front(), dy.values()};
  }
};

TEST_P(MeanSquaredError, AgreesWithDoubleAtEveryShape) {
  for (const std::int64_t rows : {1, 7, 33, 64, 129, 1000}) {
    for (const std::int64_t classes : {2, 3, 10, 31, 32, 33, 129, 256, 1000}) {
      if (rows * classes > 200'000) continue;
      SCOPED_TRACE(testing::Message() << rows << " rows, " << classes << " classes");
      TestValues values;
      const auto outputs = values.uniform(rows * classes);
      const auto labels = values.labels(rows, static_cast<int>(std::min<std::int64_t>(classes, 256)));
      double loss = 0;
      std::int64_t correct = 0;
      Doubles gradient;
      const auto count = static_cast<double>(rows * classes);
      for (std::int64_t row = 0; row < rows; ++row) {
        const auto y = std::span(outputs).subspan(row * classes, classes);
        correct += std::max_element(y.begin(), y.end()) - y.begin() == labels[row] ? 1 : 0;
        for (std::int64_t c = 0; c < classes; ++c) {
          const double error = y[c] - (c == labels[row] ? 1.0 : 0.0);
          loss += error * error / count;
          gradient.push_back(2 * error / count);
        }
      }
      const auto result = run(outputs, labels);
      EXPECT_NEAR(result.metrics.last_loss, loss, 1e-6);
      EXPECT_EQ(result.metrics.correct, correct);
      EXPECT_TRUE(all_close(result.doutputs, gradient, {kEpsilon / count, 4 * kEpsilon}));
    }
  }
}

// Compared with the one-hot targets (1, 0) and (0, 1): the errors are 2, 4 and 1, -3.
TEST_P(MeanSquaredError, IsWhatOneWorksOutByHand) {
  const auto result = run({3, 4, 1, -2}, {0, 1});
  EXPECT_EQ(result.metrics.last_loss, (4 + 16 + 1 + 9) / 4.0F);
  EXPECT_EQ(result.metrics.correct, 0);
  EXPECT_EQ(result.metrics.batches, 1);
  EXPECT_TRUE(all_equal(result.doutputs, Doubles{1, 2, 0.5, -1.5}));
}

TEST_P(MeanSquaredError, WithoutGradientGivesTheSameLoss) {
  TestValues values;
  const auto outputs = values.uniform(7 * 10, 5);
  const auto labels = values.labels(7, 10);
  EXPECT_EQ(run(outputs, labels, false).metrics.last_loss, run(outputs, labels).metrics.last_loss);
}

TEST_P(MeanSquaredError, CountsLossesThatAreNotFinite) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(run({0, bad, 0, 1}, {1, 0}).metrics.non_finite, 1) << bad;
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, MeanSquaredError, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
