// Batch normalization compared with plain loops in double precision.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <utility>
#include <vector>

#include "host/backend/operation.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

struct BatchShape {
  std::int64_t rows, channels, pixels;

  [[nodiscard]] std::int64_t size() const { return rows * channels * pixels; }
  [[nodiscard]] std::size_t index(std::int64_t row, std::int64_t channel, std::int64_t pixel) const {
    return static_cast<std::size_t>((row * pixels + pixel) * channels + channel);
  }
};

constexpr std::array<BatchShape, 15> kBatchShapes{{{2, 1, 1},
                                                   {3, 31, 1},
                                                   {64, 32, 1},
                                                   {65, 33, 1},
                                                   {7, 512, 1},
                                                   {1000, 3, 1},
                                                   {1, 3, 2},
                                                   {5, 1, 49},
                                                   {4, 16, 784},
                                                   {2, 33, 9},
                                                   {64, 8, 7},
                                                   {3, 5, 300},
                                                   {33, 1, 784},
                                                   {16, 6, 196},
                                                   {40, 48, 121}}};

// PyTorch's results, in double precision.
struct NormalizedBatch {
  Doubles y, evaluated, dx, dweight, dbias, mean, variance;
};

class BatchNormPass : public OnEachBackend {
 protected:
  void draw(const BatchShape& shape) {
    shape_ = shape;
    operation_.channels = shape.channels;
    operation_.pixels = shape.pixels;
    TestValues values;
    x_ = values.uniform(shape.size());
    for (std::int64_t row = 0; row < shape.rows; ++row) {  // channels have different means
      for (std::int64_t c = 0; c < shape.channels; ++c) {
        for (std::int64_t at = 0; at < shape.pixels; ++at)
          x_[shape.index(row, c, at)] += 0.5F * static_cast<float>(c % 7);
      }
    }
    dy_ = values.uniform(shape.size());
    weight_ = values.uniform(shape.channels);
    bias_ = values.uniform(shape.channels);
    mean_ = values.uniform(shape.channels);
    variance_ = values.uniform(shape.channels, 0.5);
    for (auto& value : variance_) value += 1;
  }

  [[nodiscard]] double activated(double value) const {
    return operation_.activation == ActivationKind::kRelu ? std::max(value, 0.0) : value;
  }

  [[nodiscard]] NormalizedBatch expected() const {
    NormalizedBatch e;
    for (auto* values : {&e.y, &e.evaluated, &e.dx}) values->resize(x_.size());
    for (std::int64_t c = 0; c < shape_.channels; ++c) {
      std::vector<std::size_t> places;
      for (std::int64_t row = 0; row < shape_.rows; ++row) {
        for (std::int64_t at = 0; at < shape_.pixels; ++at) places.push_back(shape_.index(row, c, at));
      }
      const auto n = static_cast<double>(places.size());
      double mean = 0, squares = 0, sum = 0, products = 0;
      for (const auto i : places) mean += x_[i] / n;
      for (const auto i : places) squares += (x_[i] - mean) * (x_[i] - mean);
      const double deviation = std::sqrt(squares / n + operation_.eps);
      const double running = std::sqrt(variance_[c] + operation_.eps);
      for (const auto i : places) {
        sum += dy_[i];
        products += dy_[i] * (x_[i] - mean) / deviation;
      }
      for (const auto i : places) {
        const double normalized = (x_[i] - mean) / deviation;
        e.y[i] = activated(normalized * weight_[c] + bias_[c]);
        e.evaluated[i] = activated((x_[i] - mean_[c]) / running * weight_[c] + bias_[c]);
        e.dx[i] = weight_[c] / deviation * (dy_[i] - sum / n - normalized * products / n);
      }
      e.dweight.push_back(products);
      e.dbias.push_back(sum);
      const double m = operation_.momentum;
      e.mean.push_back(m * mean + (1 - m) * mean_[c]);
      e.variance.push_back(m * squares / (n - 1) + (1 - m) * variance_[c]);
    }
    return e;
  }

  // All results of a step and of an evaluation. dx is computed only if `with_input_gradient` is true.
  struct Result {
    std::vector<float> y, evaluated, dx, dweight, dbias, mean, variance, weight, bias;
    std::int32_t batches = 0;
  };

  Result run(bool with_input_gradient, float rate = 0) {
    const auto rows = shape_.rows, cols = shape_.channels * shape_.pixels;
    const GuardedFloats x(*backend_, x_), dy(*backend_, dy_), y(*backend_, shape_.size());
    const GuardedFloats evaluated(*backend_, shape_.size()), dx(*backend_, shape_.size());
    const GuardedFloats weight(*backend_, weight_), bias(*backend_, bias_);
    const GuardedFloats mean(*backend_, mean_), variance(*backend_, variance_);
    const GuardedFloats batches(*backend_, std::vector{std::bit_cast<float>(std::int32_t{41})});
    const GuardedFloats dweight(*backend_, shape_.channels), dbias(*backend_, shape_.channels);
    const std::array tensors{weight.vector(), bias.vector()};
    const std::array gradients{dweight.vector(), dbias.vector()};
    const std::array state{mean.vector(), variance.vector(), batches.vector()};
    const auto op = backend_->prepare(operation_, rows);
    OperationViews views{.x = x.matrix(rows, cols),
                         .y = y.matrix(rows, cols),
                         .dy = dy.matrix(rows, cols),
                         .dx = dx.matrix(rows, cols),
                         .tensors = tensors,
                         .gradients = gradients,
                         .state = state};
    auto evaluation = views;
    evaluation.y = evaluated.matrix(rows, cols);
    run_once(
        *backend_,
        [&] {
          op->forward(Mode::kEvaluate, evaluation);
          op->forward(Mode::kTrain, views);
          if (with_input_gradient) op->backward_input(views);
          backend_->wait(op->backward_tensors(views));
          if (rate > 0) backend_->wait(op->backward_sgd(views));
        },
        one_batch(rows, rate));
    return {y.values(),        evaluated.values(),
            dx.values(),       dweight.values(),
            dbias.values(),    mean.values(),
            variance.values(), weight.values(),
            bias.values(),     std::bit_cast<std::int32_t>(batches.values()[0])};
  }

  BatchShape shape_{};
  BatchNormOperation operation_;
  std::vector<float> x_, dy_, weight_, bias_, mean_, variance_;
};

TEST_P(BatchNormPass, AgreesWithDoubleAtEveryShape) {
  for (const auto& shape : kBatchShapes) {
    SCOPED_TRACE(testing::Message() << shape.rows << " x " << shape.channels << " x " << shape.pixels);
    draw(shape);
    for (const auto activation : {ActivationKind::kNone, ActivationKind::kRelu}) {
      operation_.activation = activation;
      const auto e = expected();
      const auto found = run(true);
      constexpr Tolerance kTolerance{4e-6, 4e-6};
      EXPECT_TRUE(all_close(found.y, e.y, kTolerance));
      EXPECT_TRUE(all_close(found.evaluated, e.evaluated, kTolerance));
      // Two samples that are nearly equal have a large gradient.
      EXPECT_TRUE(
          all_close(found.dx, e.dx, shape.rows * shape.pixels < 4 ? Tolerance{1e-3, 1e-3} : kTolerance));
      const Tolerance sums{2e-5, 2e-6 * std::sqrt(static_cast<double>(shape.rows * shape.pixels))};
      EXPECT_TRUE(all_close(found.dweight, e.dweight, sums));
      EXPECT_TRUE(all_close(found.dbias, e.dbias, sums));
      EXPECT_TRUE(all_close(found.mean, e.mean, kTolerance));
      EXPECT_TRUE(all_close(found.variance, e.variance, kTolerance));
      EXPECT_EQ(found.batches, 42);
    }
  }
}

TEST_P(BatchNormPass, HasItsConstants) {
  draw({16, 5, 3});
  operation_.eps = 0.25;
  operation_.momentum = 0.75;
  const auto e = expected();
  const auto found = run(true);
  constexpr Tolerance kTolerance{2e-6, 2e-6};
  EXPECT_TRUE(all_close(found.y, e.y, kTolerance));
  EXPECT_TRUE(all_close(found.evaluated, e.evaluated, kTolerance));
  EXPECT_TRUE(all_close(found.mean, e.mean, kTolerance));
  EXPECT_TRUE(all_close(found.variance, e.variance, kTolerance));
}

// The first layer with trainable parameters does not need the gradient of its input.
TEST_P(BatchNormPass, UpdatesItsTensorsWithAndWithoutTheInputsGradient) {
  constexpr float kRate = 0.5F;
  draw({24, 40, 1});
  const auto e = expected();
  for (const bool with_input_gradient : {true, false}) {
    const auto found = run(with_input_gradient, kRate);
    for (std::size_t c = 0; c < weight_.size(); ++c) {
      EXPECT_NEAR(found.dweight[c], e.dweight[c], 2e-5);
      EXPECT_NEAR(found.dbias[c], e.dbias[c], 2e-5);
      EXPECT_NEAR(found.weight[c], weight_[c] - kRate * e.dweight[c], 2e-5);
      EXPECT_NEAR(found.bias[c], bias_[c] - kRate * e.dbias[c], 2e-5);
    }
  }
}

// Values far from 0, for which mean(x^2) - mean(x)^2 would cancel.
TEST_P(BatchNormPass, IsAccurateFarFromZero) {
  draw({128, 8, 1});
  for (auto& value : x_) value += 1000;
  const auto e = expected();
  const auto found = run(true);
  EXPECT_TRUE(all_close(found.y, e.y, {1e-3, 1e-3}));
  EXPECT_TRUE(all_close(found.variance, e.variance, {1e-4, 1e-4}));
}

INSTANTIATE_TEST_SUITE_P(Backends, BatchNormPass, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
