#include "host/backend/dropout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/backends.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

// Known answers published by the paper's authors with their library Random123 (kat_vectors).
TEST(Philox, GivesItsAuthorsWords) {
  using Words = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox({0, 0, 0, 0}, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox({kOnes, kOnes, kOnes, kOnes}, 0xffffffffffffffff),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

class DropoutTest : public OnEachBackend {
 protected:
  Mode mode_ = Mode::kTrain;

  std::vector<float> run(const DropoutMask& dropout, std::int64_t step, const std::vector<float>& values,
                         std::size_t skew = 0) {
    const GuardedFloats on_device(*backend_, values, skew);
    auto run = one_batch(1);
    run.step = step;
    const auto cols = static_cast<std::int64_t>(values.size());
    const auto op = backend_->prepare(DropoutOperation{dropout}, 1);
    const auto matrix = on_device.matrix(1, cols);
    run_once(
        *backend_, [&] { op->forward(mode_, {.x = matrix, .y = matrix}); }, run);
    return on_device.values();
  }
};

// Compares the masks with their definition at sizes and offsets that are not multiples of four.
TEST_P(DropoutTest, LeavesOutWhatTheWordsSay) {
  const DropoutMask dropout{.p = 0.25F, .seed = 0x123456789a, .layer = 3};
  constexpr std::int64_t kStep = (std::int64_t{1} << 32) + 7;
  for (const std::int64_t size : {1, 3, 4, 5, 31, 1000, 4'200'001}) {
    for (const std::size_t skew : {0, 1}) {
      SCOPED_TRACE(testing::Message() << size << " values, skew " << skew);
      TestValues values;
      const auto before = values.uniform(size);
      auto expected = before;
      for (std::int64_t i = 0; i < size; ++i) {
        const auto words = philox({static_cast<std::uint32_t>(i / 4), 3, 7, 1}, dropout.seed);
        expected[i] *= words[i % 4] < 0x40000000U ? 0.0F : 1.0F / 0.75F;
      }
      EXPECT_EQ(run(dropout, kStep, before, skew), expected);
    }
  }
}

// A part of a batch has the mask of its rows in the whole batch, wherever a row begins.
TEST_P(DropoutTest, CountsTheRowsOfTheWholeBatch) {
  const DropoutMask dropout{.p = 0.4F, .seed = 5, .layer = 1};
  constexpr std::int64_t kRows = 9;
  for (const std::int64_t cols : {1, 3, 4, 10, 129}) {
    const auto whole = run(dropout, 3, std::vector<float>(static_cast<std::size_t>(kRows * cols), 1));
    for (const std::int64_t first : {0, 1, 2, 5, 8}) {
      SCOPED_TRACE(testing::Message() << cols << " columns, from row " << first);
      const auto rows = kRows - first;
      const GuardedFloats part(*backend_, std::vector<float>(static_cast<std::size_t>(rows * cols), 1), 0);
      const auto op = backend_->prepare(DropoutOperation{dropout}, rows);
      auto run = one_batch(rows);
      run.step = 3;
      run.first_row = first;
      const auto matrix = part.matrix(rows, cols);
      run_once(
          *backend_, [&] { op->backward_input({.dy = matrix, .dx = matrix}); }, run);
      EXPECT_EQ(part.values(), std::vector<float>(whole.begin() + first * cols, whole.end()));
    }
  }
}

// A NaN in the guard bands would stay NaN if it were multiplied, so they contain numbers here.
TEST_P(DropoutTest, LeavesWhatIsPastTheEnd) {
  for (const std::int64_t size : {1, 2, 3, 5}) {
    const Buffer<float> values(*backend_, std::vector<float>(8, 1));
    const auto op = backend_->prepare(DropoutOperation{{.p = 0.5F, .seed = 1}}, 1);
    run_once(
        *backend_,
        [&] {
          op->backward_input({.dy = {values.data(), 1, size}, .dx = {values.data(), 1, size}});
        },
        one_batch(1));
    const auto after = values.to_host();
    EXPECT_EQ(std::count(after.begin() + size, after.end(), 1.0F), 8 - size) << size << " values";
  }
}

TEST_P(DropoutTest, KeepsTheShareAndTheMean) {
  constexpr std::int64_t kSize = 100'000;
  for (const float p : {0.1F, 0.5F, 0.9F}) {
    const auto values = run({.p = p, .seed = 1, .layer = 0}, 0, std::vector<float>(kSize, 1));
    double left_out = 0;
    double sum = 0;
    for (const float value : values) {
      left_out += value == 0 ? 1 : 0;
      sum += value;
    }
    // Six standard deviations of a binomial distribution.
    const double deviation = 6 * std::sqrt(p * (1 - p) / kSize);
    EXPECT_NEAR(left_out / kSize, p, deviation);
    EXPECT_NEAR(sum / kSize, 1, deviation / (1 - p));
  }
}

TEST_P(DropoutTest, DrawsAgainForEachStepLayerAndSeed) {
  const std::vector<float> ones(64, 1);
  const auto first = run({.p = 0.5F, .seed = 1, .layer = 0}, 5, ones);
  EXPECT_EQ(run({.p = 0.5F, .seed = 1, .layer = 0}, 5, ones), first);
  EXPECT_NE(run({.p = 0.5F, .seed = 1, .layer = 0}, 6, ones), first);
  EXPECT_NE(run({.p = 0.5F, .seed = 1, .layer = 1}, 5, ones), first);
  EXPECT_NE(run({.p = 0.5F, .seed = 2, .layer = 0}, 5, ones), first);
  EXPECT_NE(run({.p = 0.5F, .seed = 1 + (std::uint64_t{1} << 32), .layer = 0}, 5, ones), first);
}

TEST_P(DropoutTest, LeavesValuesAsTheyAreInEvaluation) {
  mode_ = Mode::kEvaluate;
  const std::vector<float> ones(64, 1);
  EXPECT_EQ(run({.p = 0.5F, .seed = 1, .layer = 0}, 5, ones), ones);
}

INSTANTIATE_TEST_SUITE_P(Backends, DropoutTest, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
