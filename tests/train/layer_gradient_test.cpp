// The gradients of networks with layers of every kind compared with central differences of the loss in double
// precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "host/train/step.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/double_network.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

class LayerGradients : public OnEachBackend {
 protected:
  static constexpr std::int64_t kSamples = 4, kOutputs = 3;
  static constexpr Shape kSample{2, 6, 5};

  // The mean cross-entropy of the batch, in double precision.
  [[nodiscard]] double loss(const Doubles& parameters) const {
    Doubles inputs;
    for (const auto pixel : pixels_) inputs.push_back(pixel / 255.0);
    const auto outputs = outputs_in_double(plan_, parameters, inputs, kSamples);
    double sum = 0;
    for (std::int64_t row = 0; row < kSamples; ++row) {
      const auto* logits = outputs.data() + row * kOutputs;
      double total = 0;
      for (std::int64_t c = 0; c < kOutputs; ++c) total += std::exp(logits[c]);
      sum += std::log(total) - logits[labels_[row]];
    }
    return sum / kSamples;
  }

  // The gradient, as the amount that a step with learning rate 1 subtracts from the parameters.
  [[nodiscard]] std::vector<float> step_gradient(bool fused_update) const {
    const Buffer<std::uint8_t> pixels(*backend_, pixels_);
    const Buffer<Label> labels(*backend_, labels_);
    const Network network(*backend_, plan_, parameters_);
    const Workspace workspace(
        *backend_, network,
        {.max_batch_size = kSamples, .keeps_gradients = !fused_update, .dropout_seed = 1});
    const OptimizerState optimizer(*backend_, Sgd{}, parameters_.size());
    TrainingRule rule;
    if (!fused_update) rule.optimizer = &optimizer;
    StepRunner runner(*backend_, workspace, rule.loss, [&](const Batch& batch, Metrics* metrics) {
      train_step(*backend_, network, batch, rule, metrics);
    });
    runner.run({{pixels.data(), labels.data(), kSamples, plan_.inputs()}, 0, 1, kSamples, 1, nullptr, 0});
    const auto after = network.parameters().to_host();
    std::vector<float> gradient;
    for (std::size_t i = 0; i < after.size(); ++i) gradient.push_back(parameters_[i] - after[i]);
    return gradient;
  }

  void check(const std::string& network) {
    SCOPED_TRACE(network);
    plan_ = plan_network(parse_network(network), kSample);
    TestValues values;
    pixels_ = values.bytes(kSamples * kSample.size());
    labels_ = values.labels(kSamples, kOutputs);
    parameters_ = values.uniform(static_cast<std::int64_t>(plan_.floats));
    const auto fused_update = step_gradient(true), separate = step_gradient(false);
    for (const auto& tensor : plan_.tensors) {
      double largest = 0;
      for (auto i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
        constexpr double kDelta = 1e-5;
        Doubles moved(parameters_.begin(), parameters_.end());
        moved[i] += kDelta;
        const double above = loss(moved);
        moved[i] -= 2 * kDelta;
        const double expected = (above - loss(moved)) / (2 * kDelta);
        largest = std::max(largest, std::abs(expected));
        const double rounding = 2e-6 * (1 + std::abs(expected));
        ASSERT_NEAR(fused_update[i], expected, rounding) << tensor.name << ", element " << i - tensor.offset;
        ASSERT_NEAR(separate[i], expected, rounding) << tensor.name << ", element " << i - tensor.offset;
      }
      const bool is_cancelled = largest < 1e-9;  // a bias before batch normalization
      EXPECT_TRUE(is_cancelled || largest > 1e-4) << tensor.name << ": nothing to compare";
    }
  }

  NetworkPlan plan_;
  std::vector<std::uint8_t> pixels_;
  std::vector<Label> labels_;
  std::vector<float> parameters_;
};

TEST_P(LayerGradients, AreDerivatives) {
  check("conv(3,3),linear(3)");
  check("conv(4,3,stride=2,padding=1,groups=2),gelu,conv(3,2,dilation=2,padding=1,bias=false),linear(3)");
  check("conv(4,3,padding=1),relu,conv(3,1),relu,linear(3)");
  check("conv(4,4,padding=same),relu,conv(3,2,padding=same,dilation=3,bias=false),relu,linear(3)");
  check("conv(4,3,padding=1),relu,maxpool(2),conv(3,2,padding=1),maxpool(2,1),relu,linear(4),relu,linear(3)");
  check("conv(3,3,padding=1),avgpool(3,2,1),gelu,globalavgpool,linear(3)");
  check("batchnorm,conv(3,3),batchnorm,relu,linear(4),batchnorm,gelu,linear(3)");
  check(
      "conv(3,3,padding=1),gelu,residual(conv(3,3,padding=1),batchnorm,relu,conv(3,3,padding=1)),relu,linear("
      "3)");
  check("residual(conv(2,1),residual(relu,conv(2,3,padding=1)),gelu),maxpool(2),linear(3)");
  check("linear(4),residual(residual(linear(4),gelu),linear(4)),residual(relu,linear(4)),relu,linear(3)");
}

INSTANTIATE_TEST_SUITE_P(Backends, LayerGradients, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
