// Optimizers compared with PyTorch's formulas in double precision, and with steps computed by hand.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "host/cli/optimizer_options.hpp"
#include "host/cli/parse.hpp"
#include "host/optim/optimizer_state.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

// One parameter of each optimizer in double precision: step() returns the updated w.
struct Reference {
  double w, m = 0, v = 0, third = 0;
  int t = 0;

  void step(const Sgd& o, double g, double rate) {
    g += o.weight_decay * w;
    if (o.momentum != 0) {
      m = ++t == 1 ? g : o.momentum * m + (1 - double{o.dampening}) * g;
      g = o.nesterov ? g + o.momentum * m : m;
    }
    w -= rate * g;
  }
  void step(const Adam& o, double g, double rate) {
    ++t;
    if (o.decoupled) {
      w -= rate * o.weight_decay * w;
    } else {
      g += o.weight_decay * w;
    }
    m = o.beta1 * m + (1 - o.beta1) * g;
    v = o.beta2 * v + (1 - o.beta2) * g * g;
    third = std::max(third, v);
    const double mean = m / (1 - std::pow(o.beta1, t));
    const double square = (o.amsgrad ? third : v) / (1 - std::pow(o.beta2, t));
    w -= rate * mean / (std::sqrt(square) + o.eps);
  }
  void step(const Rmsprop& o, double g, double rate) {
    g += o.weight_decay * w;
    v = o.alpha * v + (1 - double{o.alpha}) * g * g;
    third = o.alpha * third + (1 - double{o.alpha}) * g;
    const double square = o.centered ? v - third * third : v;
    m = o.momentum * m + g / (std::sqrt(square) + o.eps);
    w -= rate * m;
  }
  void step(const Adagrad& o, double g, double rate) {
    g += o.weight_decay * w;
    v += g * g;
    w -= rate * g / (std::sqrt(v) + o.eps);
  }
  template <class Other>  // the other optimizers are compared with PyTorch's results
  void step(const Other&, double, double) {
    FAIL();
  }
};

class OptimizerUpdate : public OnEachBackend {
 protected:
  // The parameters after one step per gradient.
  std::vector<float> run(const Optimizer& optimizer, const std::vector<float>& w,
                         const std::vector<std::vector<float>>& gradients, float rate, std::size_t skew = 0) {
    return run(ParameterGroups{{{optimizer}}}, w, gradients, rate, skew);
  }
  std::vector<float> run(const ParameterGroups& groups, const std::vector<float>& w,
                         const std::vector<std::vector<float>>& gradients, float rate, std::size_t skew = 0) {
    const GuardedFloats parameters(*backend_, w, skew);
    Buffer<float> gradient(*backend_, w.size());
    const OptimizerState state(*backend_, groups, w.size());
    const auto step = backend_->record([&] { state.update(parameters.vector(), gradient.view()); });
    for (const auto& values : gradients) {
      gradient.upload(values);
      step->run(one_batch(1, rate));
    }
    moments_ = state.memory().moments;
    return parameters.values();
  }

  void check(const Optimizer& optimizer, std::int64_t size, std::size_t skew = 0) {
    constexpr float kRate = 0.01F;
    TestValues values;
    const auto w = values.uniform(size);
    std::vector<std::vector<float>> gradients;
    for (int t = 0; t < 5; ++t) gradients.push_back(values.uniform(size));
    Doubles expected;
    for (std::size_t i = 0; i < w.size(); ++i) {
      Reference reference{w[i]};
      for (const auto& gradient : gradients) {
        std::visit([&](const auto& o) { reference.step(o, gradient[i], double{kRate}); }, optimizer);
      }
      expected.push_back(reference.w);
    }
    EXPECT_TRUE(all_close(run(optimizer, w, gradients, kRate, skew), expected, {2e-6, 0}));
  }

  float one_parameter(const Optimizer& optimizer, std::vector<float> gradients, float rate) {
    std::vector<std::vector<float>> steps;
    for (const float g : gradients) steps.push_back({g});
    return run(optimizer, {1}, steps, rate).front();
  }

  std::array<std::vector<float>, kMaxMoments> moments_;  // after the last run
};

TEST_P(OptimizerUpdate, FollowsPyTorchsFormulas) {
  const std::vector<Optimizer> optimizers{
      Sgd{},
      Sgd{.momentum = 0.9F},
      Sgd{.momentum = 0.9F, .dampening = 0.5F, .weight_decay = 0.1F},
      Sgd{.momentum = 0.5F, .weight_decay = 0.1F, .nesterov = true},
      Sgd{.weight_decay = 0.1F},
      Adam{},
      Adam{.beta1 = 0.5, .beta2 = 0.6, .eps = 0.01F, .weight_decay = 0.1F},
      Adam{.weight_decay = 0.1F, .decoupled = true},
      Adam{.beta2 = 0.5, .amsgrad = true},
      Rmsprop{},
      Rmsprop{.alpha = 0.5F, .eps = 0.01F, .weight_decay = 0.1F},
      Rmsprop{.alpha = 0.9F, .momentum = 0.5F},
      Rmsprop{.alpha = 0.5F, .eps = 0.01F, .centered = true},
      Adagrad{},
      Adagrad{.eps = 0.1F, .weight_decay = 0.1F},
  };
  for (std::size_t i = 0; i < optimizers.size(); ++i) {
    for (const std::int64_t size : {1, 7, 33, 1000, 20'001}) {
      SCOPED_TRACE(testing::Message() << "optimizer " << i << ", " << size << " parameters");
      check(optimizers[i], size);
    }
  }
}

TEST_P(OptimizerUpdate, TakesMoreThanAGridCovers) { check(Sgd{.momentum = 0.5F}, 4 * 256 * 4096 + 9); }

TEST_P(OptimizerUpdate, TakesParametersThatAreNotAligned) { check(Adam{}, 1001, 1); }

// w = 1, gradients 1 and then 2, learning rate 0.1.
TEST_P(OptimizerUpdate, IsWhatOneWorksOutByHand) {
  // m = 1, then 0.5 * 1 + 2 = 2.5: 1 - 0.1 - 0.25.
  EXPECT_FLOAT_EQ(one_parameter(Sgd{.momentum = 0.5F}, {1, 2}, 0.1F), 0.65F);
  // 1 + 0.5 * 1, then 2 + 0.5 * 2.5: 1 - 0.15 - 0.325.
  EXPECT_FLOAT_EQ(one_parameter(Sgd{.momentum = 0.5F, .nesterov = true}, {1, 2}, 0.1F), 0.525F);
  // The first step of Adam has the size of the learning rate, whatever the size of the gradient.
  EXPECT_FLOAT_EQ(one_parameter(Adam{}, {1}, 0.1F), 0.9F);
  EXPECT_FLOAT_EQ(one_parameter(Adam{}, {-200}, 0.1F), 1.1F);
  // AdamW first subtracts 0.1 * 0.5 of w.
  EXPECT_FLOAT_EQ(one_parameter(Adam{.weight_decay = 0.5F, .decoupled = true}, {1}, 0.1F), 0.85F);
  // v = 0.75 * 1: g / sqrt(v).
  EXPECT_FLOAT_EQ(one_parameter(Rmsprop{.alpha = 0.25F}, {1}, 0.1F), 1 - 0.1F / std::sqrt(0.75F));
  // v = 1, then 1 + 4.
  EXPECT_FLOAT_EQ(one_parameter(Adagrad{}, {1, 2}, 0.1F), 1 - 0.1F - 0.2F / std::sqrt(5.0F));
}

TEST_P(OptimizerUpdate, KeepsNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const Optimizer& optimizer :
       std::vector<Optimizer>{Sgd{.momentum = 0.5F}, Adam{.amsgrad = true}, Rmsprop{}, Adagrad{}, Adadelta{},
                              Adamax{}, Nadam{}, Radam{}, Asgd{}}) {
    SCOPED_TRACE(optimizer.index());
    EXPECT_TRUE(std::isnan(one_parameter(optimizer, {nan, 1}, 0.1F)));
    for (const auto& moment : moments_) EXPECT_TRUE(moment.empty() || std::isnan(moment.front()));
  }
  EXPECT_TRUE(std::isnan(one_parameter(Rprop{}, {nan, 1}, 0.1F)));  // its step sizes remain valid
}

// Each of two groups, with aligned or unaligned ranges, is updated as if its optimizer updated all
// parameters; parameters in no group are unchanged.
TEST_P(OptimizerUpdate, UpdatesEachGroupByItsOwnOptimizer) {
  constexpr std::size_t kSize = 2000;
  const std::vector<std::pair<Optimizer, std::vector<ParameterRange>>> groups{
      {Adam{.weight_decay = 0.1F, .decoupled = true}, {{0, 500}, {640, 33}, {1999, 1}}},
      {Adam{.decoupled = true}, {{512, 128}, {675, 7}}},
      {Sgd{}, {{704, 1024}}}};
  TestValues values;
  const auto w = values.uniform(kSize);
  const std::vector<std::vector<float>> gradients{values.uniform(kSize), values.uniform(kSize)};
  auto expected = w;
  std::vector<ParameterGroup> given;
  for (const auto& [optimizer, ranges] : groups) {
    given.push_back({optimizer, ranges});
    const auto all = run(optimizer, w, gradients, 0.01F);
    for (const auto& [first, size] : ranges) std::copy_n(all.begin() + first, size, expected.begin() + first);
  }
  EXPECT_EQ(run(ParameterGroups{given}, w, gradients, 0.01F), expected);
}

TEST_P(OptimizerUpdate, GroupsGoOnFromWhatTheyRemember) {
  const ParameterGroups groups{{{Adam{}, {{0, 8}}}, {Adam{.weight_decay = 0.1F}, {{8, 8}}}}};
  TestValues values;
  const GuardedFloats w(*backend_, values.uniform(16));
  const Buffer<float> gradient(*backend_, values.uniform(16));
  const auto steps = [&](const OptimizerState& state, int count) {
    for (int i = 0; i < count; ++i)
      run_once(
          *backend_, [&] { state.update(w.vector(), gradient.view()); }, one_batch(1, 0.1F));
  };
  const auto begin = w.values();
  steps({*backend_, groups, 16}, 3);
  const auto expected = w.values();
  backend_->upload(std::as_bytes(std::span(begin)), w.vector().data());
  const OptimizerState before(*backend_, groups, 16);
  steps(before, 2);
  OptimizerState resumed(*backend_, groups, 16);
  resumed.restore(before.memory());
  steps(resumed, 1);
  EXPECT_EQ(w.values(), expected);
}

// Parameters after twelve steps, with the flags and defaults of the command line.
TEST_P(OptimizerUpdate, IsPyTorchs) {
  const auto goldens = read_optimizer_goldens();
  EXPECT_EQ(goldens.size(), 19U);
  for (const auto& golden : goldens) {
    SCOPED_TRACE(testing::PrintToString(golden.flags));
    std::vector<const char*> arguments{"warpfit", "train", "--data", "x"};
    for (const auto& word : golden.flags) arguments.push_back(word.c_str());
    const auto command = parse_command_line(static_cast<int>(arguments.size()), arguments.data());
    const auto& flags = std::get<TrainCommand>(command).optimizer;
    const auto after = run(optimizer_of(flags), golden.parameters, golden.gradients,
                           static_cast<float>(learning_rate_of(flags)));
    EXPECT_TRUE(all_close(after, golden.after, {2e-6, 2e-6}));
  }
}

// Without weight decay w is 1 - 0.1 * (sum of gradients). After step 4 the mean equals w; then it moves by
// 1/2 and by 1/3 of the distance to w.
TEST_P(OptimizerUpdate, AsgdKeepsTheMeanOfItsParameters) {
  const Asgd asgd{.lambd = 0, .t0 = 2};
  EXPECT_FLOAT_EQ(one_parameter(asgd, {1, 1, 1, 1}, 0.1F), 0.6F);
  EXPECT_FLOAT_EQ(moments_[2].front(), 0.6F);
  one_parameter(asgd, {1, 1, 1, 1, 1, 1}, 0.1F);
  EXPECT_FLOAT_EQ(moments_[2].front(), 0.55F + (0.4F - 0.55F) / 3);
}

INSTANTIATE_TEST_SUITE_P(Backends, OptimizerUpdate, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
