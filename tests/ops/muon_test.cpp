// Muon's update of matrices, compared with PyTorch's, and its mathematical properties.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "host/backend/muon_formula.hpp"
#include "host/cli/optimizer_options.hpp"
#include "host/cli/parse.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

class MuonUpdate : public OnEachBackend {
 protected:
  // The parameters of all matrices after one step per gradient.
  std::vector<float> run(const Muon& muon, const std::vector<MuonMatrix>& matrices,
                         const std::vector<float>& w, const std::vector<std::vector<float>>& gradients,
                         float rate) {
    const GuardedFloats parameters(*backend_, w);
    const Buffer<float> gradient(*backend_, w.size());
    const GuardedFloats momentum(*backend_, std::vector<float>(w.size()));
    const auto op = backend_->prepare(muon, matrices);
    const auto step = backend_->record([&] {
      op->update({parameters.vector(), gradient.view(), momentum.vector()});
    });
    for (const auto& values : gradients) {
      gradient.upload(values);
      step->run(one_batch(1, rate));
    }
    momentum_ = momentum.values();
    return parameters.values();
  }

  std::vector<float> momentum_;  // after the last run
};

// The goldens use values for which the rounding of sums never changes a bf16 value.
TEST_P(MuonUpdate, IsPyTorchs) {
  const auto goldens = read_optimizer_goldens("muon_pytorch_2.15.jsonl");
  EXPECT_EQ(goldens.size(), 5U);
  for (const auto& golden : goldens) {
    SCOPED_TRACE(testing::PrintToString(golden.flags) + testing::PrintToString(golden.shape));
    std::vector<const char*> arguments{"warpfit", "train", "--data", "x"};
    for (const auto& word : golden.flags) arguments.push_back(word.c_str());
    const auto command = parse_command_line(static_cast<int>(arguments.size()), arguments.data());
    const auto& flags = std::get<TrainCommand>(command).optimizer;
    const auto after = run(*muon_of(flags), {{0, golden.shape[0], golden.shape[1]}}, golden.parameters,
                           golden.gradients, static_cast<float>(learning_rate_of(flags)));
    EXPECT_TRUE(all_close(after, golden.after, {2e-6, 0}));
  }
}

// The first step follows the orthogonal matrix nearest to the gradient, up to the accuracy of the
// Newton-Schulz iteration: the singular values of the update lie between 0.68 and 1.14.
TEST_P(MuonUpdate, GoesAlongAnOrthogonalMatrix) {
  TestValues values;
  for (const auto& [rows, cols] : {std::pair{40, 70}, {70, 40}, {33, 33}, {1, 50}, {50, 1}}) {
    SCOPED_TRACE(testing::Message() << rows << "x" << cols);
    const auto gradient = values.uniform(rows * cols);
    const auto after = run({.weight_decay = 0}, {{0, rows, cols}},
                           std::vector<float>(static_cast<std::size_t>(rows * cols)), {gradient}, -1);
    const double adjustment = std::sqrt(std::max(1.0, double(rows) / cols));
    // The trace of o o' is the sum of o's squared singular values; the trace of o g' is about the sum of g's.
    double squares = 0, along = 0, whole = 0;
    for (std::size_t i = 0; i < after.size(); ++i) {
      const double o = after[i] / adjustment;
      squares += o * o;
      along += o * gradient[i];
      whole += double{gradient[i]} * gradient[i];
    }
    const double least = std::min(rows, cols);
    EXPECT_GT(squares, 0.68 * 0.68 * least);
    EXPECT_LT(squares, 1.14 * 1.14 * least);
    EXPECT_GT(along, 0.68 * std::sqrt(whole));  // the sum of g's singular values is at least its norm
  }
}

TEST_P(MuonUpdate, LeavesAloneWhatIsInNoMatrix) {
  TestValues values;
  const auto w = values.uniform(300);
  const std::vector<std::vector<float>> gradients{values.uniform(300), values.uniform(300)};
  const std::vector<MuonMatrix> matrices{{32, 8, 10}, {128, 3, 7}, {160, 11, 9}};
  const auto after = run({}, matrices, w, gradients, 0.1F);
  std::vector<float> expected = w;
  for (const auto& matrix : matrices) {
    const auto alone = run({}, {matrix}, w, gradients, 0.1F);
    const auto first = alone.begin() + matrix.first;
    std::copy(first, first + matrix.rows * matrix.cols, expected.begin() + matrix.first);
    EXPECT_NE(*first, w[static_cast<std::size_t>(matrix.first)]);
  }
  EXPECT_EQ(after, expected);
}

// Powers of two, by which all products are exact.
TEST_P(MuonUpdate, MultipliesTheLearningRateOfAMatrix) {
  TestValues values;
  const auto w = values.uniform(80);
  const std::vector<std::vector<float>> gradients{values.uniform(80), values.uniform(80)};
  const auto with_factor = [&](float factor, float rate) {
    return run({}, {{0, 8, 10, factor}}, w, gradients, rate);
  };
  EXPECT_EQ(with_factor(0.25F, 0.5F), with_factor(1, 0.125F));
  EXPECT_NE(with_factor(0.25F, 0.5F), with_factor(1, 0.5F));
}

TEST_P(MuonUpdate, DividesByNoZero) {
  const std::vector<float> w{1, 2, 3, 4};
  const auto after = run({.weight_decay = 0.5}, {{0, 2, 2}}, w, {{0, 0, 0, 0}}, 0.1F);
  EXPECT_THAT(after, testing::Pointwise(testing::FloatEq(), {0.95F, 1.9F, 2.85F, 3.8F}));
}

// m = 0.25 * 1, then 0.25 + 0.25 * (1 - 0.25).
TEST_P(MuonUpdate, KeepsMomentum) {
  run({.momentum = 0.75}, {{0, 1, 2}}, {0, 0}, {{1, 2}, {1, 2}}, 0.1F);
  EXPECT_THAT(momentum_, testing::Pointwise(testing::FloatEq(), {0.4375F, 0.875F}));
}

INSTANTIATE_TEST_SUITE_P(Backends, MuonUpdate, testing::ValuesIn(backend_names()), backend_name);

TEST(MuonFormula, RoundsToTheNearestBf16) {
  EXPECT_EQ(bf16_rounded(1 + 0x1p-9F), 1);               // closer to 1
  EXPECT_EQ(bf16_rounded(1 + 0x1p-8F), 1);               // halfway: rounds to even
  EXPECT_EQ(bf16_rounded(1 + 0x1.8p-7F), 1 + 0x1p-6F);   // halfway: rounds to even
  EXPECT_EQ(bf16_rounded(1 + 0x1.01p-8F), 1 + 0x1p-7F);  // closer to the next value
  EXPECT_EQ(bf16_rounded(-3.140625F), -3.140625F);
  EXPECT_EQ(bf16_rounded(std::numeric_limits<float>::infinity()), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(bf16_rounded(std::bit_cast<float>(0x7FFFFFFFU))));
}

}  // namespace
}  // namespace warpfit::test
