// Convolutions by cuDNN, compared with plain loops in double precision.
#include "cuda/runtime/dnn_graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cuda/runtime/graph.hpp"
#include "tests/cuda/dnn_conv.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

struct Shape {
  const char* name;
  std::int64_t rows;
  ConvOperation operation;
};

const Shape kShapes[] = {
    {"One", 1, conv({1, 1, 1}, 1, {1}, {1})},
    {"OneChannel", 3, conv({1, 9, 7}, 5, {3}, {3})},
    {"OneWindow", 4, conv({3, 5, 5}, 7, {5}, {5})},
    {"OnePixel", 5, conv({6, 1, 1}, 9, {1}, {1})},
    {"OnePixelPadded", 2, conv({4, 1, 1}, 3, {3, 1, 1}, {3, 1, 1})},
    {"PointsOfOddImages", 2, conv({5, 7, 3}, 6, {1}, {1})},
    {"StrideOverTheEdge", 2, conv({4, 8, 10}, 8, {3, 2}, {3, 3})},
    {"StridedPoints", 2, conv({4, 7, 6}, 8, {1, 2}, {1, 3})},
    {"Padded", 2, conv({4, 6, 5}, 4, {3, 1, 1}, {3, 1, 1})},
    {"UnequalAxes", 3, conv({4, 11, 6}, 4, {5, 3, 2}, {2, 1, 1})},
    {"PaddedByTheWindow", 2, conv({2, 3, 4}, 3, {4, 1, 3}, {4, 2, 3})},
    {"Dilated", 2, conv({4, 9, 11}, 4, {3, 1, 2, 2}, {3, 1, 0, 3})},
    {"DilatedAndStrided", 2, conv({4, 12, 9}, 8, {3, 2, 1, 2}, {2, 3, 1, 4})},
    {"MoreAtTheEnd", 3, conv({4, 6, 5}, 8, {4, 1, 1, 1, 1}, {2, 1, 0, 1, 1})},
    {"TwoGroups", 3, conv({8, 6, 6}, 12, {3, 1, 1}, {3, 1, 1}, 2)},
    {"Depthwise", 2, conv({8, 7, 5}, 8, {3, 2, 1}, {3, 2, 1}, 8)},
    {"DepthwiseTwice", 2, conv({4, 5, 5}, 8, {3}, {3}, 4)},
    {"LeNet1", 32, conv({1, 28, 28}, 6, {5, 1, 2}, {5, 1, 2})},
    {"LeNet2", 9, conv({6, 14, 14}, 16, {5}, {5})},
    {"ManyChannels", 2, conv({48, 6, 6}, 80, {3, 1, 1}, {3, 1, 1})},
};

class DnnConvTest : public OnDnn, public testing::WithParamInterface<ConvPass> {
 protected:
  /// Products that are summed for an element of the result, at most.
  [[nodiscard]] static std::int64_t terms(const Shape& shape) {
    const auto& operation = shape.operation;
    const auto windows = operation.rows.size * operation.columns.size;
    if (GetParam() == ConvPass::kForward) return windows * operation.in.channels / operation.groups;
    if (GetParam() == ConvPass::kInputGradient) return windows * operation.out_channels / operation.groups;
    return shape.rows * operation.out().pixels();
  }
};

TEST_P(DnnConvTest, IsExactForIntegers) {
  for (const auto& [name, rows, operation] : kShapes) {
    SCOPED_TRACE(name);
    const auto sizes = operand_sizes(GetParam(), operation, rows);
    const auto a = values_.integers(sizes.a), b = values_.integers(sizes.b);
    EXPECT_TRUE(all_equal(compute(GetParam(), operation, rows, Precision::kFp32, a, b),
                          expected_pass(GetParam(), operation, rows, a, b)));
  }
}

TEST_P(DnnConvTest, AgreesWithDoubleLoops) {
  for (const auto& shape : kShapes) {
    SCOPED_TRACE(shape.name);
    const auto sizes = operand_sizes(GetParam(), shape.operation, shape.rows);
    const auto a = values_.uniform(sizes.a), b = values_.uniform(sizes.b);
    const auto expected = expected_pass(GetParam(), shape.operation, shape.rows, a, b);
    const auto agrees = [&](Precision precision, double epsilon) {
      // A sum of n products of values in [-1, 1] is about sqrt(n) / 3.
      const auto size = std::sqrt(static_cast<double>(terms(shape)));
      return all_close(compute(GetParam(), shape.operation, shape.rows, precision, a, b), expected,
                       {epsilon * size, epsilon});
    };
    EXPECT_TRUE(agrees(Precision::kFp32, 16 * kEpsilon));
    EXPECT_TRUE(agrees(Precision::kTf32, 1.0 / 256));  // 10 bits of fraction
    EXPECT_TRUE(agrees(Precision::kBf16, 1.0 / 32));   // 7 bits of fraction
  }
}

TEST_P(DnnConvTest, RunsTwiceWithTheSameResult) {
  for (const auto& [name, rows, operation] : kShapes) {
    SCOPED_TRACE(name);
    const auto sizes = operand_sizes(GetParam(), operation, rows);
    const auto a = values_.uniform(sizes.a), b = values_.uniform(sizes.b);
    const auto first = compute(GetParam(), operation, rows, Precision::kFp32, a, b);
    EXPECT_EQ(compute(GetParam(), operation, rows, Precision::kFp32, a, b), first);
  }
}

INSTANTIATE_TEST_SUITE_P(Dnn, DnnConvTest,
                         testing::Values(ConvPass::kForward, ConvPass::kInputGradient,
                                         ConvPass::kWeightGradient),
                         [](const auto& test) { return pass_name(test.param); });

class DnnConvCalls : public OnDnn, public testing::WithParamInterface<ConvPass> {
 protected:
  const ConvOperation operation_ = conv({4, 6, 5}, 8, {3, 2, 1}, {3, 1, 1});
  static constexpr std::int64_t kRows = 3;
};

TEST_P(DnnConvCalls, TakeOtherMemoryEachTime) {
  const auto sizes = operand_sizes(GetParam(), operation_, kRows);
  DnnConv conv(*dnn_, GetParam(), operation_, kRows, Precision::kFp32);
  const Floats result(*stream_, sizes.result), other(*stream_, sizes.result);
  for (int i = 0; i < 3; ++i) {
    const auto a = values_.integers(sizes.a), b = values_.integers(sizes.b);
    const Floats device_a(*stream_, a), device_b(*stream_, b);
    const Floats& to = i == 1 ? other : result;
    conv.run(device_a.data(), device_b.data(), to.data());
    EXPECT_TRUE(all_equal(to.values(), expected_pass(GetParam(), operation_, kRows, a, b)));
  }
}

TEST_P(DnnConvCalls, AreRecordedAndReplayed) {
  const auto sizes = operand_sizes(GetParam(), operation_, kRows);
  DnnConv conv(*dnn_, GetParam(), operation_, kRows, Precision::kFp32);
  const Floats a(*stream_, sizes.a), b(*stream_, sizes.b), result(*stream_, sizes.result);
  // cuDNN may load its kernels at their first launch, which must not be recorded.
  conv.run(a.data(), b.data(), result.data());
  stream_->synchronize();
  const Graph graph(stream_->get(), [&] { conv.run(a.data(), b.data(), result.data()); });
  for (int i = 0; i < 2; ++i) {
    const auto host_a = values_.integers(sizes.a), host_b = values_.integers(sizes.b);
    a.set(host_a);
    b.set(host_b);
    graph.launch(stream_->get());
    EXPECT_TRUE(all_equal(result.values(), expected_pass(GetParam(), operation_, kRows, host_a, host_b)));
  }
}

TEST_P(DnnConvCalls, OutliveAMove) {
  const auto sizes = operand_sizes(GetParam(), operation_, kRows);
  DnnConv first(*dnn_, GetParam(), operation_, kRows, Precision::kFp32);
  DnnConv second(*dnn_, GetParam(), operation_, kRows + 1, Precision::kFp32);
  second = std::move(first);
  const auto a = values_.integers(sizes.a), b = values_.integers(sizes.b);
  const Floats device_a(*stream_, a), device_b(*stream_, b), result(*stream_, sizes.result);
  second.run(device_a.data(), device_b.data(), result.data());
  EXPECT_TRUE(all_equal(result.values(), expected_pass(GetParam(), operation_, kRows, a, b)));
}

TEST_P(DnnConvCalls, RefuseShapesThatDoNotExist) {
  auto impossible = operation_;
  impossible.rows.size = 9;  // no window fits
  try {
    const DnnConv conv(*dnn_, GetParam(), impossible, kRows, Precision::kFp32);
    FAIL() << "accepted a window that does not fit";
  } catch (const DeviceError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("preparing a convolution: ")) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Dnn, DnnConvCalls,
                         testing::Values(ConvPass::kForward, ConvPass::kInputGradient,
                                         ConvPass::kWeightGradient),
                         [](const auto& test) { return pass_name(test.param); });

TEST_F(OnDnn, NamesItsVersion) { EXPECT_TRUE(dnn_->version().starts_with("cuDNN 9.")) << dnn_->version(); }

}  // namespace
}  // namespace warpfit::test
