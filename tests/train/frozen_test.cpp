// Frozen parameters keep their bits, and the others are trained as without them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/model/frozen_parameters.hpp"
#include "host/model/initializer.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/train/trainer.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

constexpr const char* kLinear = "linear(12),relu,batchnorm,linear(11),relu,linear(10)";
constexpr const char* kConv = "conv(2,5,stride=4),relu,conv(3,3),relu,batchnorm,linear(10)";

class NormRecorder final : public Report {
 public:
  void loss(const LossReport& report) override { norm = report.gradient_norm; }
  std::optional<float> norm;
};

class Frozen : public OnEachBackend {
 protected:
  // The samples that a test trains on: one batch, or several.
  static TrainOptions options(const Optimizer& optimizer) {
    return {.epochs = 1, .batch_size = 300, .learning_rate = 0.1, .optimizer = optimizer, .log_every = 1};
  }

  void train(const std::string& network, const std::vector<std::string>& patterns,
             const TrainOptions& options) {
    const auto paths = find_dataset(sample_folder().string(), {});
    const Dataset training_set(paths.train_images, paths.train_labels);
    const Dataset test_set(paths.test_images, paths.test_labels);
    plan_ = plan_network(parse_network(network), {1, 28, 28});
    freeze(plan_, patterns);
    TorchGenerator generator(0);
    before_ = initial_parameters(plan_, generator);
    Network trained(*backend_, plan_, before_);
    NormRecorder report;
    const Subset few(training_set, 0, samples_);
    Trainer trainer(*backend_, trained, {few, std::nullopt, test_set}, options, generator, report);
    EXPECT_EQ(trainer.run(), StopReason::kCompleted);
    after_ = trainer.parameters();
    state_ = trainer.network_state();
    norm_ = report.norm;
  }

  [[nodiscard]] static std::span<const float> of(const PlannedTensor& tensor,
                                                 const std::vector<float>& values) {
    return tensor.in(std::span(values));
  }

  // Of a run of one step, with all parameters and with these frozen: those keep their values, and the others
  // have the same update; that of a bias whose weight is frozen comes from another kernel.
  void expect_frozen(const std::string& network, const std::vector<std::string>& patterns,
                     TrainOptions options) {
    options.fuse_update = false;
    train(network, {}, options);
    const auto free = after_;
    const auto free_state = state_;
    options.fuse_update = true;
    train(network, patterns, options);
    EXPECT_EQ(state_, free_state);
    bool is_below_frozen = false;  // the tensor before this one
    for (const auto& tensor : plan_.tensors) {
      const auto mine = of(tensor, after_);
      const auto expected = of(tensor, tensor.requires_grad ? free : before_);
      const float allowed = is_below_frozen && tensor.requires_grad ? 1e-6F : 0;
      EXPECT_TRUE(std::ranges::equal(mine, expected, [&](float a, float b) {
        return std::abs(a - b) <= allowed;
      })) << tensor.name;
      is_below_frozen = !tensor.requires_grad;
      EXPECT_FALSE(std::ranges::equal(of(tensor, free), of(tensor, before_))) << tensor.name;
    }
  }

  std::int64_t samples_ = 300;
  NetworkPlan plan_;
  std::vector<float> before_, after_, state_;  // parameters before and after the run
  std::optional<float> norm_;                  // of the gradients of the last batch
};

TEST_P(Frozen, ParametersKeepTheirValues) {
  for (const std::vector<std::string>& patterns : {std::vector<std::string>{"0.weight"},
                                                   {"3.bias"},
                                                   {"2.weight"},
                                                   {"2.bias", "0.*"},
                                                   {"*.bias"},
                                                   {"5.*"}}) {
    SCOPED_TRACE(patterns.front());
    expect_frozen(kLinear, patterns, options(Sgd{}));
  }
  const std::vector<std::string> patterns{"0.*", "2.weight", "3.weight"};
  expect_frozen(kLinear, patterns, options(Sgd{.momentum = 0.9F, .weight_decay = 0.1F}));
  auto with_groups = options(Adam{.weight_decay = 0.1F, .decoupled = true});
  with_groups.no_decay.biases = true;
  expect_frozen(kLinear, patterns, with_groups);
  expect_frozen(kLinear, {"*.weight"}, options(Asgd{.lambd = 0.1}));
}

TEST_P(Frozen, MatricesAreNotUpdatedByMuon) {
  samples_ = 20;
  auto options = Frozen::options(Sgd{});
  options.muon = Muon{.steps = 2};
  expect_frozen("linear(12),relu,linear(10)", {"0.weight"}, options);
  expect_frozen("linear(12),relu,linear(10)", {"*.weight"}, options);
  expect_frozen("linear(12),relu,linear(10)", {"*.bias"}, options);
}

TEST_P(Frozen, ConvolutionsKeepTheirValues) {
  samples_ = 20;
  for (const std::vector<std::string>& patterns :
       {std::vector<std::string>{"0.weight"}, {"0.bias"}, {"0.*"}, {"2.weight"}, {"2.*", "4.*"}}) {
    SCOPED_TRACE(patterns.front());
    expect_frozen(kConv, patterns, options(Sgd{}));
  }
}

// Several steps, which read the frozen parameters again, and averages of the parameters.
TEST_P(Frozen, ParametersKeepTheirValuesInLongRuns) {
  samples_ = 60;
  auto options = Frozen::options(Sgd{.momentum = 0.9F});
  options.batch_size = 8;
  options.accumulate = 3;
  options.ema = 0.9;
  train(kLinear, {"0.bias", "2.weight", "3.weight"}, options);
  for (const auto& tensor : plan_.tensors) {
    EXPECT_NE(std::ranges::equal(of(tensor, after_), of(tensor, before_)), tensor.requires_grad)
        << tensor.name;
  }
  for (const float weight : of(plan_.tensors[2], after_)) ASSERT_EQ(weight, 1);  // of batch normalization
}

// PyTorch's clip_grad_norm_ sees only parameters that have gradients.
TEST_P(Frozen, ParametersHaveNoGradientNorm) {
  auto options = Frozen::options(Sgd{});
  options.measure_norm = true;
  for (const std::vector<std::string>& patterns : {std::vector<std::string>{"0.weight"}, {"0.*", "5.bias"}}) {
    train(kLinear, patterns, options);
    double squares = 0;
    for (std::size_t i = 0; i < after_.size(); ++i)
      squares += std::pow((double{before_[i]} - after_[i]) / options.learning_rate, 2);
    ASSERT_TRUE(norm_);
    EXPECT_NEAR(*norm_, std::sqrt(squares), 1e-5 * std::sqrt(squares));
  }
}

TEST_P(Frozen, ParametersAreNotForTheFusedEngine) {
  auto options = Frozen::options(Sgd{});
  options.engine = Engine::kFused;
  EXPECT_THROW(train("linear(12),relu,linear(10)", {"0.weight"}, options), UsageError);
}

INSTANTIATE_TEST_SUITE_P(Backends, Frozen, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
