// Checks of synchronized batch normalization: several ranks compute what one rank computes.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "tests/parallel/rank_training.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {

using RankBackend = std::function<std::unique_ptr<Backend>(Communicator&)>;

/// A batch for the layer: rows[i] rows on rank i.
struct RankRows {
  std::int64_t channels, pixels;
  std::vector<std::int64_t> rows;

  [[nodiscard]] std::int64_t width() const { return channels * pixels; }
  [[nodiscard]] std::int64_t all_rows() const {
    return std::accumulate(rows.begin(), rows.end(), std::int64_t{0});
  }
};

/// Operands of the layer, for all rows.
struct NormOperands {
  std::vector<float> x, dy, weight, bias;

  NormOperands(const RankRows& shape, float mean) {
    TestValues values;
    x = values.uniform(shape.all_rows() * shape.width());
    for (std::size_t i = 0; i < x.size(); ++i)  // rows and channels have different means
      x[i] += mean + 0.1F * static_cast<float>(i % 7) + static_cast<float>(i) / static_cast<float>(x.size());
    dy = values.uniform(shape.all_rows() * shape.width());
    weight = values.uniform(shape.channels);
    bias = values.uniform(shape.channels);
  }
};

struct NormResults {
  std::vector<float> y, dx, dweight, dbias, mean, variance;
  std::int32_t batches = 0;
};

/// Two steps with `rows` rows from row `first` on.
inline NormResults run_norm(Backend& inner, const BatchNormOperation& operation, const NormOperands& operands,
                            std::int64_t first, std::int64_t rows) {
  const auto width = operation.channels * operation.pixels;
  const auto channels = static_cast<std::size_t>(operation.channels);
  const auto part = [&](const std::vector<float>& all) {
    const auto begin = all.begin() + first * width;
    return std::vector<float>(begin, begin + rows * width);
  };
  const auto size = static_cast<std::size_t>(rows * width);
  const Buffer<float> x(inner, part(operands.x)), dy(inner, part(operands.dy)), y(inner, size),
      dx(inner, size);
  const Buffer<float> weight(inner, operands.weight), bias(inner, operands.bias);
  const Buffer<float> dweight(inner, channels), dbias(inner, channels);
  const Buffer<float> mean(inner, std::vector<float>(channels, 0.5F));
  const Buffer<float> variance(inner, std::vector<float>(channels, 2)), batches(inner, std::vector<float>(1));
  const std::array tensors{weight.view(), bias.view()}, gradients{dweight.view(), dbias.view()};
  const std::array state{mean.view(), variance.view(), batches.view()};
  const OperationViews views{.x = {x.data(), rows, width},
                             .y = {y.data(), rows, width},
                             .dy = {dy.data(), rows, width},
                             .dx = {dx.data(), rows, width},
                             .tensors = tensors,
                             .gradients = gradients,
                             .state = state};
  const auto op = inner.prepare(operation, rows);
  const auto step = inner.record([&] {
    op->forward(Mode::kTrain, views);
    op->backward_input(views);
    inner.wait(op->backward_tensors(views));
  });
  step->run({{}, 0, 2, rows});
  return {y.to_host(),
          dx.to_host(),
          dweight.to_host(),
          dbias.to_host(),
          mean.to_host(),
          variance.to_host(),
          std::bit_cast<std::int32_t>(batches.to_host()[0])};
}

inline testing::AssertionResult close_to(std::span<const float> actual, std::span<const float> expected,
                                         double tolerance) {
  return all_close(actual, Doubles(expected.begin(), expected.end()), {tolerance, tolerance});
}

/// Compares the layer on the ranks with the layer on one.
inline void expect_norm_of_all_ranks(const RankBackend& make, const RankRows& shape, float mean,
                                     double tolerance) {
  SCOPED_TRACE(testing::Message() << testing::PrintToString(shape.rows) << " rows, " << shape.channels
                                  << " x " << shape.pixels);
  BatchNormOperation operation{.channels = shape.channels, .pixels = shape.pixels};
  const NormOperands operands(shape, mean);
  NormResults whole;
  run_ranks(1, [&](Communicator& communicator) {
    CheckedBackend backend(make(communicator));
    whole = run_norm(backend, operation, operands, 0, shape.all_rows());
  });
  operation.is_synchronized = true;
  std::vector<NormResults> parts(shape.rows.size());
  run_ranks(static_cast<int>(shape.rows.size()), [&](Communicator& communicator) {
    CheckedBackend backend(make(communicator));
    const auto rank = static_cast<std::size_t>(communicator.rank());
    const auto first =
        std::accumulate(shape.rows.begin(), shape.rows.begin() + communicator.rank(), std::int64_t{0});
    parts[rank] = run_norm(backend, operation, operands, first, shape.rows[rank]);
  });
  NormResults joined;
  joined.dweight.resize(whole.dweight.size());
  joined.dbias.resize(whole.dbias.size());
  for (const auto& part : parts) {
    joined.y.insert(joined.y.end(), part.y.begin(), part.y.end());
    joined.dx.insert(joined.dx.end(), part.dx.begin(), part.dx.end());
    for (std::size_t c = 0; c < joined.dbias.size(); ++c) {
      joined.dweight[c] += part.dweight[c];
      joined.dbias[c] += part.dbias[c];
    }
    EXPECT_EQ(part.mean, parts[0].mean);  // the same bits on all ranks
    EXPECT_EQ(part.variance, parts[0].variance);
    EXPECT_EQ(part.batches, 2);
  }
  EXPECT_TRUE(close_to(joined.y, whole.y, tolerance));
  EXPECT_TRUE(close_to(joined.dx, whole.dx, tolerance));
  const double sums = tolerance * std::sqrt(static_cast<double>(shape.all_rows() * shape.pixels));
  EXPECT_TRUE(close_to(joined.dweight, whole.dweight, sums));
  EXPECT_TRUE(close_to(joined.dbias, whole.dbias, sums));
  EXPECT_TRUE(close_to(parts[0].mean, whole.mean, tolerance));
  EXPECT_TRUE(close_to(parts[0].variance, whole.variance, tolerance));
}

inline void check_norm_of_all_ranks(const RankBackend& make) {
  const std::vector<RankRows> shapes{{1, 1, {5, 4}},        {3, 1, {8, 1}},    {33, 1, {12, 0, 11}},
                                     {5, 4, {0, 7}},        {2, 9, {1, 0, 0}}, {4, 100, {3, 3, 2, 2}},
                                     {40, 49, {20, 60, 7}}, {1, 784, {30, 31}}};
  for (const auto& shape : shapes) expect_norm_of_all_ranks(make, shape, 0, 1e-5);
  // Values far from 0, for which mean(x^2) - mean(x)^2 would cancel.
  expect_norm_of_all_ranks(make, {8, 1, {60, 0, 68}}, 1000, 2e-3);
}

struct NormTraining {
  std::string name;
  std::function<void(RankJob&)> change;
};

/// Trains on one rank and on several, which must have the same parameters, losses and running statistics.
inline void expect_training_of_one_rank(RankJob job, const std::vector<int>& ranks) {
  job.options.sync_batch_norm = true;
  const auto alone = train_on_ranks(1, job);
  ASSERT_FALSE(alone.reports.losses.empty());
  for (const int count : ranks) {
    SCOPED_TRACE(testing::Message() << count << " ranks");
    const auto together = train_on_ranks(count, job);
    EXPECT_TRUE(close_to(together.parameters, alone.parameters, 1e-5));
    const auto statistics = [](const std::vector<float>& state) {
      auto finite = state;  // the numbers of batches are integers
      for (auto& value : finite) {
        if (std::fpclassify(value) == FP_SUBNORMAL)
          value = static_cast<float>(std::bit_cast<std::int32_t>(value));
      }
      return finite;
    };
    EXPECT_TRUE(close_to(statistics(together.state), statistics(alone.state), 1e-5));
    ASSERT_EQ(together.reports.losses.size(), alone.reports.losses.size());
    for (std::size_t i = 0; i < alone.reports.losses.size(); ++i)
      EXPECT_NEAR(together.reports.losses[i].loss, alone.reports.losses[i].loss, 1e-5) << "report " << i;
    EXPECT_NEAR(together.reports.epochs.back().test.loss, alone.reports.epochs.back().test.loss, 1e-5);
  }
}

}  // namespace warpfit::test
