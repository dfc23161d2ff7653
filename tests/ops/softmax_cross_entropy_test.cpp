#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"
#include "tests/support/sanitizers.hpp"

namespace warpfit::test {
namespace {

struct Result {
  Metrics metrics;
  std::vector<float> dlogits;
};

struct Expected {
  double loss = 0;
  std::int64_t correct = 0;
  Doubles dlogits;
};

Expected reference(std::span<const float> logits, std::span<const Label> labels, double smoothing = 0) {
  const auto rows = static_cast<std::int64_t>(labels.size());
  const auto classes = static_cast<std::int64_t>(logits.size()) / rows;
  Expected expected;
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto z = logits.subspan(row * classes, classes);
    const double highest = *std::max_element(z.begin(), z.end());
    double sum = 0;
    for (const float value : z) sum += std::exp(value - highest);
    expected.correct += std::max_element(z.begin(), z.end()) - z.begin() == labels[row] ? 1 : 0;
    for (std::int64_t c = 0; c < classes; ++c) {
      const double log_share = z[c] - highest - std::log(sum);
      const double target = (c == labels[row] ? 1 - smoothing : 0) + smoothing / static_cast<double>(classes);
      expected.loss -= target * log_share / static_cast<double>(rows);
      expected.dlogits.push_back((std::exp(log_share) - target) / static_cast<double>(rows));
    }
  }
  return expected;
}

class SoftmaxCrossEntropy : public OnEachBackend {
 protected:
  // Evaluates the same logits as `times` batches, whose losses are summed.
  Result run(const std::vector<float>& logits, const std::vector<Label>& labels, int times = 1,
             float smoothing = 0) {
    const auto rows = static_cast<std::int64_t>(labels.size());
    const auto classes = static_cast<std::int64_t>(logits.size()) / rows;
    const GuardedFloats z(*backend_, logits);
    const GuardedFloats dz(*backend_, rows * classes);
    const Buffer<Label> y(*backend_, labels);
    const Buffer<Metrics> metrics(*backend_, std::vector<Metrics>(1));
    const auto op =
        backend_->prepare(Loss{.label_smoothing = smoothing, .class_weights = weights_}, classes, rows);
    const auto step = backend_->record(
        [&] { op->add(z.matrix(rows, classes), y.view(), dz.matrix(rows, classes), metrics.data()); });
    for (int i = 0; i < times; ++i) step->run(one_batch(rows));
    return {metrics.to_host().front(), dz.values()};
  }

  std::vector<float> weights_;  // one per class
};

TEST_P(SoftmaxCrossEntropy, AgreesWithDoubleAtEveryShape) {
  for (const std::int64_t rows : {1, 7, 31, 32, 33, 64, 129, 1000}) {
    for (const std::int64_t classes : {2, 3, 10, 31, 32, 33, 100, 129, 256, 1000, 5000}) {
      if (rows * classes > (kThreadSanitizer ? 40'000 : 200'000)) continue;
      SCOPED_TRACE(testing::Message() << rows << " rows, " << classes << " classes");
      TestValues values;
      const auto logits = values.uniform(rows * classes, 5);
      const auto labels = values.labels(rows, static_cast<int>(std::min<std::int64_t>(classes, 256)));
      const auto expected = reference(logits, labels);
      const auto result = run(logits, labels);
      EXPECT_NEAR(result.metrics.last_loss, expected.loss, 1e-5);
      EXPECT_EQ(result.metrics.correct, expected.correct);
      // For a probability near 1, subtracting the one-hot target cancels digits: the error is absolute,
      // relative to 1 / rows.
      EXPECT_TRUE(
          all_close(result.dlogits, expected.dlogits, {4 * kEpsilon / static_cast<double>(rows), 2e-5}));
    }
  }
}

TEST_P(SoftmaxCrossEntropy, SmoothsLabels) {
  for (const std::int64_t classes : {2, 10, 33, 129, 1000}) {
    for (const float smoothing : {0.1F, 0.5F, 1.0F}) {
      SCOPED_TRACE(testing::Message() << classes << " classes, smoothing " << smoothing);
      constexpr std::int64_t kRows = 33;
      TestValues values;
      const auto logits = values.uniform(kRows * classes, 5);
      const auto labels = values.labels(kRows, static_cast<int>(std::min<std::int64_t>(classes, 256)));
      const auto expected = reference(logits, labels, smoothing);
      const auto result = run(logits, labels, 1, smoothing);
      EXPECT_NEAR(result.metrics.last_loss, expected.loss, 2e-5);
      EXPECT_TRUE(all_close(result.dlogits, expected.dlogits, {4 * kEpsilon / kRows, 2e-5}));
    }
  }
  // Two classes with equal logits: the loss is -log 1/2 for any label; the gradient is that of softmax 1/2
  // and targets 0.8 and 0.2.
  const auto result = run({3, 3}, {0}, 1, 0.4F);
  EXPECT_FLOAT_EQ(result.metrics.last_loss, std::log(2.0F));
  EXPECT_TRUE(all_close(result.dlogits, Doubles{-0.3, 0.3}, {1e-7, 0}));
}

TEST_P(SoftmaxCrossEntropy, AddsUpOverBatches) {
  const auto once = run({1, 2, 3, 1, 0, 0}, {2, 1});
  const auto thrice = run({1, 2, 3, 1, 0, 0}, {2, 1}, 3);
  EXPECT_EQ(thrice.metrics.batches, 3);
  EXPECT_EQ(thrice.metrics.correct, 3);
  EXPECT_EQ(thrice.metrics.last_loss, once.metrics.last_loss);
  EXPECT_DOUBLE_EQ(thrice.metrics.loss_sum, 3 * static_cast<double>(once.metrics.last_loss));
  EXPECT_EQ(thrice.metrics.non_finite, 0);
  EXPECT_EQ(thrice.metrics.first_non_finite, -1);
}

TEST_P(SoftmaxCrossEntropy, CountsTheFirstOfEqualLogitsAsTheAnswer) {
  EXPECT_EQ(run({5, 5, 5}, {0}).metrics.correct, 1);
  EXPECT_EQ(run({5, 5, 5}, {1}).metrics.correct, 0);
  EXPECT_EQ(run({4, 5, 5}, {1}).metrics.correct, 1);
}

TEST_P(SoftmaxCrossEntropy, StaysFiniteAtLogitsThatOverflowExp) {
  const auto result = run({1000, -1000, 0, -1000, -1000, -1000}, {1, 2});
  EXPECT_NEAR(result.metrics.last_loss, (2000 + std::log(3.0)) / 2, 1e-4);
  EXPECT_TRUE(all_close(result.dlogits, Doubles{0.5, -0.5, 0, 1 / 6.0, 1 / 6.0, -2 / 6.0}, {1e-7, 1e-6}));
}

TEST_P(SoftmaxCrossEntropy, CountsLossesThatAreNotFinite) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, infinity, -infinity}) {
    const auto metrics = run({0, bad, 0, 1, 2, 3}, {1, 0}, 2).metrics;
    EXPECT_EQ(metrics.non_finite, 2) << bad;
    EXPECT_EQ(metrics.first_non_finite, 0) << bad;
  }
}

TEST_P(SoftmaxCrossEntropy, WithoutGradientGivesTheSameLoss) {
  TestValues values;
  const auto logits = values.uniform(7 * 10, 5);
  const auto labels = values.labels(7, 10);
  const GuardedFloats z(*backend_, logits);
  const Buffer<Label> y(*backend_, labels);
  const Buffer<Metrics> metrics(*backend_, std::vector<Metrics>(1));
  const auto op = backend_->prepare(Loss{}, 10, 7);
  run_once(
      *backend_, [&] { op->add(z.matrix(7, 10), y.view(), {}, metrics.data()); }, one_batch(7));
  EXPECT_EQ(metrics.to_host().front().last_loss, run(logits, labels).metrics.last_loss);
  EXPECT_EQ(z.values(), logits);
}

// Equal class weights give the result without weights, up to rounding. Some shapes are smaller than a block's
// number of threads, others larger.
TEST_P(SoftmaxCrossEntropy, WithEqualWeightsIsAsWithNone) {
  for (const auto& [rows, classes] :
       {std::pair<std::int64_t, std::int64_t>{1, 2}, {33, 10}, {300, 129}, {7, 256}}) {
    if (rows * classes > (kThreadSanitizer ? 10'000 : 100'000)) continue;
    SCOPED_TRACE(testing::Message() << rows << " rows, " << classes << " classes");
    TestValues values;
    const auto logits = values.uniform(rows * classes, 5);
    const auto labels = values.labels(rows, static_cast<int>(classes));
    for (const float smoothing : {0.0F, 0.3F}) {
      const auto expected = run(logits, labels, 1, smoothing);
      weights_.assign(static_cast<std::size_t>(classes), 0.25F);
      const auto result = run(logits, labels, 1, smoothing);
      weights_.clear();
      EXPECT_NEAR(result.metrics.last_loss, expected.metrics.last_loss, 1e-5);
      EXPECT_EQ(result.metrics.correct, expected.metrics.correct);
      EXPECT_TRUE(
          all_close(result.dlogits, Doubles(expected.dlogits.begin(), expected.dlogits.end()), {1e-7, 1e-5}));
    }
  }
}

// Two rows with loss -log(1 / 2) each: the mean weights them 3 to 1.
TEST_P(SoftmaxCrossEntropy, WeighsRowsByTheirClass) {
  weights_ = {3, 1};
  const auto result = run({0, 0, 0, 0}, {0, 1});
  EXPECT_NEAR(result.metrics.last_loss, std::log(2), 1e-6);
  EXPECT_TRUE(all_close(result.dlogits, Doubles{-0.375, 0.375, 0.125, -0.125}, {1e-6, 0}));
}

// As in PyTorch, the result is 0 / 0; the trainer ends a run for it.
TEST_P(SoftmaxCrossEntropy, OfSamplesWithoutWeightIsNoNumber) {
  weights_ = {0, 1};
  const auto result = run({1, 2}, {0});
  EXPECT_TRUE(std::isnan(result.metrics.last_loss));
  EXPECT_EQ(result.metrics.non_finite, 1);
}

INSTANTIATE_TEST_SUITE_P(Backends, SoftmaxCrossEntropy, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
