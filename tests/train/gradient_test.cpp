// The gradients of a training step compared with central differences of the loss in double precision, for
// every loss and the weights and biases of every layer, with and without dropout.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "host/train/step.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/linear_tensors.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

constexpr std::int64_t kRows = 5;
constexpr std::int64_t kStep = 3;

// -sum_c target_c log softmax(z)_c, with the label smoothing distributed over all classes.
double cross_entropy(std::span<const double> z, std::int64_t label, double smoothing) {
  const double highest = *std::ranges::max_element(z);
  double sum = 0;
  for (const double value : z) sum += std::exp(value - highest);
  double loss = 0;
  for (std::size_t c = 0; c < z.size(); ++c) {
    const bool is_label = static_cast<std::int64_t>(c) == label;
    const double target = (is_label ? 1 - smoothing : 0) + smoothing / static_cast<double>(z.size());
    loss -= target * (z[c] - highest - std::log(sum));
  }
  return loss;
}

double squared_error(std::span<const double> y, std::int64_t label) {
  double loss = 0;
  for (std::size_t c = 0; c < y.size(); ++c) {
    const double error = y[c] - (static_cast<std::int64_t>(c) == label ? 1 : 0);
    loss += error * error / static_cast<double>(y.size());
  }
  return loss;
}

class Gradients : public OnEachBackend {
 protected:
  // The mean loss over the batch as a function of the parameters, entirely in double precision.
  [[nodiscard]] double loss(const Doubles& parameters, const TrainingRule& rule) const {
    double sum = 0;
    for (std::int64_t row = 0; row < kRows; ++row) {
      Doubles values;
      for (std::int64_t i = 0; i < plan_.inputs(); ++i)
        values.push_back(pixels_[row * plan_.inputs() + i] / 255.0);
      for (std::size_t l = 0; l < linear_tensors(plan_).size(); ++l)
        values = layer(parameters, l, values, row, dropout_);
      sum += rule.loss.kind == LossKind::kMse
                 ? squared_error(values, labels_[row])
                 : cross_entropy(values, labels_[row], rule.loss.label_smoothing);
    }
    return sum / kRows;
  }

  [[nodiscard]] Doubles layer(const Doubles& parameters, std::size_t l, const Doubles& x, std::int64_t row,
                              DropoutMask dropout) const {
    const auto tensors = linear_tensors(plan_)[l];
    dropout.layer = static_cast<std::uint32_t>(l);
    Doubles y;
    for (std::int64_t m = 0; m < tensors.outputs; ++m) {
      double sum = parameters[tensors.bias + m];
      for (std::int64_t k = 0; k < tensors.inputs; ++k)
        sum += parameters[tensors.weight + m * tensors.inputs + k] * x[k];
      if (l + 1 < linear_tensors(plan_).size()) {
        const std::int64_t at = row * tensors.outputs + m;
        sum = std::max(sum, 0.0) * (dropout.p > 0 ? dropout.multipliers(kStep, at / 4)[at % 4] : 1.0F);
      }
      y.push_back(sum);
    }
    return y;
  }

  // The gradient, as the amount that a step with learning rate 1 subtracts from the parameters.
  [[nodiscard]] std::vector<float> step_gradient(TrainingRule rule, bool fused_update) const {
    const Buffer<std::uint8_t> pixels(*backend_, pixels_);
    const Buffer<Label> labels(*backend_, labels_);
    const Network network(*backend_, plan_network(with_dropout(spec_, dropout_.p)), parameters_);
    const Workspace workspace(
        *backend_, network,
        {.max_batch_size = kRows, .keeps_gradients = !fused_update, .dropout_seed = dropout_.seed});
    const OptimizerState optimizer(*backend_, Sgd{}, parameters_.size());
    if (!fused_update) rule.optimizer = &optimizer;
    StepRunner runner(*backend_, workspace, rule.loss, [&](const Batch& batch, Metrics* metrics) {
      train_step(*backend_, network, batch, rule, metrics);
    });
    runner.run({{pixels.data(), labels.data(), kRows, plan_.inputs()}, 0, 1, kRows, 1, nullptr, kStep});
    const auto after = network.parameters().to_host();
    std::vector<float> gradient;
    for (std::size_t i = 0; i < after.size(); ++i) gradient.push_back(parameters_[i] - after[i]);
    return gradient;
  }

  void check(const TrainingRule& rule) const {
    constexpr double kDelta = 1e-6;
    const auto fused_update = step_gradient(rule, true);
    const auto separate = step_gradient(rule, false);
    for (const auto& tensors : linear_tensors(plan_)) {
      std::vector<std::size_t> offsets;
      for (std::size_t i = 0; i < tensors.weight_size(); ++i) offsets.push_back(tensors.weight + i);
      for (std::size_t i = 0; i < tensors.bias_size(); ++i) offsets.push_back(tensors.bias + i);
      double largest = 0;
      for (const auto i : offsets) {
        Doubles moved(parameters_.begin(), parameters_.end());
        moved[i] += kDelta;
        const double above = loss(moved, rule);
        moved[i] -= 2 * kDelta;
        const double expected = (above - loss(moved, rule)) / (2 * kDelta);
        largest = std::max(largest, std::abs(expected));
        // The parameter and its change are rounded to fp32.
        const double rounding = 1e-6 * (1 + std::abs(expected));
        ASSERT_NEAR(fused_update[i], expected, rounding) << "parameter " << i;
        ASSERT_NEAR(separate[i], expected, rounding) << "parameter " << i;
      }
      EXPECT_GT(largest, 1e-3) << "nothing to compare";
    }
  }

  NetworkSpec spec_ = multilayer_perceptron({6, 7, 5, 4});
  NetworkPlan plan_ = plan_network(spec_);
  DropoutMask dropout_;  // masks after each hidden layer
  TestValues values_;
  std::vector<std::uint8_t> pixels_ = values_.bytes(kRows * 6);
  std::vector<Label> labels_ = values_.labels(kRows, 4);
  std::vector<float> parameters_ = values_.uniform(static_cast<std::int64_t>(plan_.floats));
};

TEST_P(Gradients, OfEveryLossAndLayerAreItsDerivatives) {
  const std::vector<Loss> losses{
      {LossKind::kCrossEntropy}, {LossKind::kCrossEntropy, 0.1F}, {LossKind::kNll}, {LossKind::kMse}};
  for (const auto& loss : losses) {
    for (const float p : {0.0F, 0.4F}) {
      SCOPED_TRACE(testing::Message() << "loss " << static_cast<int>(loss.kind) << ", smoothing "
                                      << loss.label_smoothing << ", dropout " << p);
      TrainingRule rule;
      rule.loss = loss;
      dropout_ = {.p = p, .seed = 11};
      check(rule);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, Gradients, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
