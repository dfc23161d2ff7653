// Learning rates of individual parameters: --lr-factor.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/cli/optimizer_options.hpp"
#include "host/cli/parse.hpp"
#include "host/model/frozen_parameters.hpp"
#include "host/model/initializer.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/train/parameter_groups.hpp"
#include "host/train/trainer.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/files.hpp"
#include "tests/support/golden.hpp"

namespace warpfit::test {
namespace {

class RateFactors : public OnEachBackend {
 protected:
  // The parameters after one epoch of a single batch.
  std::vector<float> train(const NetworkPlan& plan, const TrainOptions& options) {
    const auto paths = find_dataset(sample_folder().string(), {});
    const Dataset training_set(paths.train_images, paths.train_labels);
    const Dataset test_set(paths.test_images, paths.test_labels);
    TorchGenerator generator(0);
    Network network(*backend_, plan, initial_parameters(plan, generator));
    Report report;
    Trainer trainer(*backend_, network, {training_set, std::nullopt, test_set}, options, generator, report);
    EXPECT_EQ(trainer.run(), StopReason::kCompleted);
    return trainer.parameters();
  }

  static TrainOptions options(double rate, std::vector<RateFactor> factors) {
    return {.epochs = 1,
            .batch_size = 300,
            .learning_rate = rate,
            .rate_factors = std::move(factors),
            .fuse_update = false};
  }

  // The options of `train` for these flags.
  static TrainOptions options_of(const std::vector<std::string>& flags) {
    std::vector<const char*> arguments{"warpfit", "train", "--data", "x"};
    for (const auto& word : flags) arguments.push_back(word.c_str());
    const auto command = parse_command_line(static_cast<int>(arguments.size()), arguments.data());
    const auto& optimizer = std::get<TrainCommand>(command).optimizer;
    return {.learning_rate = learning_rate_of(optimizer),
            .optimizer = optimizer_of(optimizer),
            .rate_factors = optimizer.rate_factors};
  }
};

// A linear layer with 8 weights and 4 biases.
TEST_P(RateFactors, AreThoseOfPyTorchsParameterGroups) {
  const auto plan = plan_network({{Linear{4}}, 2});
  const auto& bias = plan.tensors[1];
  const auto in_layout = [&](const std::vector<float>& values) {
    std::vector<float> flat(plan.floats);
    std::copy_n(values.begin(), 8, flat.begin());
    std::copy_n(values.begin() + 8, 4, flat.begin() + static_cast<std::ptrdiff_t>(bias.offset));
    return flat;
  };
  const auto goldens = read_optimizer_goldens("groups_pytorch_2.15.jsonl");
  EXPECT_EQ(goldens.size(), 5U);
  for (const auto& golden : goldens) {
    SCOPED_TRACE(testing::PrintToString(golden.flags));
    const auto options = options_of(golden.flags);
    const OptimizerState state(*backend_, parameter_groups(plan, options), plan.floats);
    const Buffer<float> parameters(*backend_, in_layout(golden.parameters));
    const Buffer<float> gradient(*backend_, plan.floats);
    const auto step = backend_->record([&] { state.update(parameters.view(), gradient.view()); });
    for (const auto& values : golden.gradients) {
      gradient.upload(in_layout(values));
      step->run(one_batch(1, static_cast<float>(options.learning_rate)));
    }
    const auto flat = parameters.to_host();
    auto after = std::vector<float>(flat.begin(), flat.begin() + 8);
    const auto biases = bias.in(std::span(flat));
    after.insert(after.end(), biases.begin(), biases.end());
    EXPECT_TRUE(all_close(after, golden.after, {2e-6, 2e-6}));
  }
}

TEST_P(RateFactors, MultiplyTheLearningRateOfAStep) {
  const auto plan = plan_network({{Linear{12}, Activation{}, Linear{10}}, 784});
  for (const auto& optimizer : {Optimizer(Sgd{}), Optimizer(Adam{.weight_decay = 0.1F, .decoupled = true})}) {
    const auto train = [&](double rate, const std::vector<RateFactor>& factors) {
      auto with = options(rate, factors);
      with.optimizer = optimizer;
      return RateFactors::train(plan, with);
    };
    const auto slow = train(0.25, {}), fast = train(0.5, {});
    EXPECT_EQ(train(0.25, {{"*", 2}}), fast);
    auto expected = slow;
    for (const auto at : {1U, 2U}) {
      const auto from = plan.tensors[at].in(std::span(fast));
      std::ranges::copy(from, plan.tensors[at].in(std::span(expected)).begin());
    }
    EXPECT_NE(expected, slow);
    EXPECT_EQ(train(0.25, {{"2.weight", 2}, {"2.*", 1}, {"*.bias", 2}}), expected);
  }
}

TEST_P(RateFactors, ApplyWithoutASeparateUpdateRequested) {
  const auto plan = plan_network({{Linear{10}}, 784});
  auto options = RateFactors::options(0.25, {{"*", 2}});
  const auto expected = train(plan, options);
  options.fuse_update = true;
  EXPECT_EQ(train(plan, options), expected);
  options.engine = Engine::kFused;
  EXPECT_THROW(train(plan, options), UsageError);
}

TEST_P(RateFactors, AreTheMatricesOfMuonAsWell) {
  const auto plan = plan_network({{Linear{12}, Activation{}, Linear{10}}, 784});
  const auto train = [&](double rate, const std::vector<RateFactor>& factors) {
    auto with = options(rate, factors);
    with.muon = Muon{.steps = 2};
    return RateFactors::train(plan, with);
  };
  EXPECT_EQ(train(0.25, {{"0.*", 0.5F}, {"*", 0.5F}}), train(0.125, {}));
}

INSTANTIATE_TEST_SUITE_P(Backends, RateFactors, testing::ValuesIn(backend_names()), backend_name);

// The names of the parameters of each group, with the group's factor.
std::vector<std::string> groups_of(const TrainOptions& options) {
  auto plan = plan_network(parse_network("linear(4),batchnorm,linear(3)"), {6});
  freeze(plan, {"2.weight"});
  std::vector<std::string> groups;
  for (const auto& group : parameter_groups(plan, options).groups) {
    auto text = std::to_string(static_cast<int>(group.rate_factor)) + (has_decay(group.optimizer) ? "d" : "");
    for (const auto& tensor : plan.tensors) {
      const auto is_it = [&](const auto& range) {
        return range.first == static_cast<std::int64_t>(tensor.offset);
      };
      if (std::ranges::any_of(group.ranges, is_it)) text += " " + tensor.name;
    }
    groups.push_back(text);
  }
  return groups;
}

TEST(RateFactorGroups, HaveAFactorAndADecay) {
  using Groups = std::vector<std::string>;
  TrainOptions options{.optimizer = Adam{.weight_decay = 0.1F}};
  EXPECT_EQ(groups_of(options), Groups{"1d 0.weight 0.bias 1.weight 1.bias 2.bias"});
  options.rate_factors = {{"0.weight", 2}, {"0.*", 3}, {"2.bias", 2}};
  EXPECT_EQ(groups_of(options), (Groups{"2d 0.weight 2.bias", "3d 0.bias", "1d 1.weight 1.bias"}));
  options.no_decay.biases = true;
  EXPECT_EQ(groups_of(options), (Groups{"2d 0.weight", "3 0.bias", "1d 1.weight", "1 1.bias", "2 2.bias"}));
}

}  // namespace
}  // namespace warpfit::test
