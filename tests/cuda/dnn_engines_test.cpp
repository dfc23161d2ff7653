// Which of the emulated cuDNN's engines is chosen, by what it computes; and what convolutions do when cuDNN
// fails.
#include <cudnn_graph.h>

#include "cuda/runtime/graph.hpp"
#include "host/base/error.hpp"
#include "tests/cuda/dnn_conv.hpp"
#include "tests/emulation/emulation.hpp"

namespace warpfit::test {
namespace {

constexpr float kSmall = 1.0F / 4096;  // 1 + kSmall is 1 in TF32
constexpr float kMedium = 1.0F / 512;  // 1 + kMedium is 1 in BF16, but not in TF32

class DnnEngines : public OnDnn, public testing::WithParamInterface<ConvPass> {
 protected:
  /// Starts an emulated machine in which call number `at` of `function` returns `error`.
  void inject(const char* function, int at, int error) {
    auto config = emulation::config();
    config.fail_function = function;
    config.fail_at = at;
    config.fail_error = error;
    renew(config);
  }
  void TearDown() override { renew(before_); }

  /// The product of two numbers, as a convolution.
  float product(float a, float b, Precision precision) {
    return compute(GetParam(), conv({1, 1, 1}, 1, {1}, {1}), 1, precision, {a}, {b}).front();
  }
  std::string error_of(const ConvOperation& operation) {
    try {
      DnnConv convolution(*dnn_, GetParam(), operation, 2, Precision::kFp32);
      const auto sizes = operand_sizes(GetParam(), operation, 2);
      const Floats a(*stream_, sizes.a), b(*stream_, sizes.b), result(*stream_, sizes.result);
      convolution.run(a.data(), b.data(), result.data());
    } catch (const Error& error) {
      return (error.code() == ExitCode::kOutOfMemory ? "out of memory: " : "") + std::string(error.what());
    }
    return "";
  }
  void renew(const emulation::Config& config) {
    dnn_.reset();
    stream_.reset();
    emulation::configure(config);
    stream_ = std::make_unique<Stream>("test");
    dnn_ = std::make_unique<DnnHandle>(*stream_);
  }

 private:
  const emulation::Config before_ = emulation::config();
};

TEST_P(DnnEngines, KeepFp32) {
  EXPECT_EQ(product(1 + kSmall, 1, Precision::kFp32), 1 + kSmall);
  EXPECT_EQ(product(1, 1 + kSmall, Precision::kFp32), 1 + kSmall);
}

TEST_P(DnnEngines, RoundToTf32) {
  EXPECT_EQ(product(1 + kSmall, 1, Precision::kTf32), 1);
  EXPECT_EQ(product(1 + kMedium, 1, Precision::kTf32), 1 + kMedium);
}

// The first engine of the emulated cuDNN is not deterministic, and its results are not exact. For the wide
// windows of an input gradient there is no other.
TEST_P(DnnEngines, MayDifferFromRunToRunIfAsked) {
  const auto exact = product(3, 5, Precision::kFp32);
  const auto wide = conv({1, 40, 1}, 1, {2, 1, 0, 16}, {1});
  EXPECT_EQ(error_of(wide).empty(), GetParam() != ConvPass::kInputGradient);
  dnn_ = std::make_unique<DnnHandle>(*stream_, true);
  EXPECT_NE(product(3, 5, Precision::kFp32), exact);
  EXPECT_EQ(error_of(wide), "");
}

TEST_P(DnnEngines, RoundToBf16) { EXPECT_EQ(product(1 + kMedium, 1, Precision::kBf16), 1); }

TEST_P(DnnEngines, AreFoundAmongTheFallbacks) {
  const auto grouped = conv({4, 3, 3}, 4, {2}, {2}, 2);
  const auto sizes = operand_sizes(GetParam(), grouped, 1);
  const auto a = values_.integers(sizes.a), b = values_.integers(sizes.b);
  const auto result = compute(GetParam(), grouped, 1, Precision::kFp32, a, b);
  const auto expected = expected_pass(GetParam(), grouped, 1, a, b);
  EXPECT_TRUE(std::equal(result.begin(), result.end(), expected.begin(), expected.end()));
}

TEST_P(DnnEngines, GetTheirWorkspace) {
  const auto before = emulation::statistics();
  {
    const auto operation = conv({1, 1, 1}, 1, {1}, {1});
    const DnnConv plain(*dnn_, GetParam(), operation, 1, Precision::kFp32);
    EXPECT_EQ(plain.workspace_bytes(), 4096U + 12);
    EXPECT_EQ(emulation::statistics().live_bytes - before.live_bytes, 4096 + 12);
    const DnnConv rounding(*dnn_, GetParam(), operation, 1, Precision::kTf32);
    EXPECT_EQ(rounding.workspace_bytes(), 0U);
    EXPECT_EQ(emulation::statistics().live_allocations - before.live_allocations, 1);
  }
  EXPECT_EQ(emulation::statistics().live_allocations, before.live_allocations);
}

TEST_P(DnnEngines, ShareTheWorkspaceOfTheirStream) {
  const auto operation = conv({1, 1, 1}, 1, {1}, {1});
  const auto bytes = [before = emulation::statistics().live_bytes] {
    return emulation::statistics().live_bytes - before;
  };
  const auto make = [&](std::int64_t rows) {
    return DnnConv(*dnn_, GetParam(), operation, rows, Precision::kFp32);
  };
  DnnConv two = make(2);
  EXPECT_EQ(bytes(), 4096 + 24);
  const DnnConv one = make(1), other = make(2);
  EXPECT_EQ(bytes(), 4096 + 24);
  const Floats a(*stream_, std::vector(2, 3.0F)), b(*stream_, std::vector(2, 5.0F)), result(*stream_, 2);
  const auto operands = bytes() - (4096 + 24);
  // The graph holds the address of the first block.
  const Graph graph(stream_->get(), [&] { two.run(a.data(), b.data(), result.data()); });
  const DnnConv three = make(3);
  EXPECT_EQ(bytes() - operands, 4096 + 24 + 4096 + 36);
  const DnnConv last = make(2);
  EXPECT_EQ(bytes() - operands, 4096 + 24 + 4096 + 36);
  graph.launch(stream_->get());
  stream_->synchronize();
  EXPECT_EQ(result.values().front(), GetParam() == ConvPass::kWeightGradient ? 30.0F : 15.0F);
}

// Work on different streams may run at the same time.
TEST_P(DnnEngines, ShareNothingBetweenStreams) {
  const auto operation = conv({1, 1, 1}, 1, {1}, {1});
  const auto before = emulation::statistics().live_bytes;
  Stream stream("other");
  const DnnHandle dnn(stream);
  DnnConv here(*dnn_, GetParam(), operation, 1, Precision::kFp32);
  DnnConv there(dnn, GetParam(), operation, 1, Precision::kFp32);
  EXPECT_EQ(emulation::statistics().live_bytes - before, 2 * (4096 + 12));
  const Floats a(*stream_, std::vector{3.0F}), b(*stream_, std::vector{5.0F});
  const Floats first(*stream_, 1), second(*stream_, 1);
  stream_->synchronize();
  here.run(a.data(), b.data(), first.data());
  there.run(a.data(), b.data(), second.data());
  stream.synchronize();
  EXPECT_EQ(first.values().front(), 15.0F);
  EXPECT_EQ(second.values().front(), 15.0F);
}

TEST_P(DnnEngines, DoNothingButLaunchOnceTheyAreThere) {
  DnnConv plain(*dnn_, GetParam(), conv({1, 1, 1}, 1, {1}, {1}), 1, Precision::kFp32);
  const Floats a(*stream_, 1), b(*stream_, 1), result(*stream_, 1);
  plain.run(a.data(), b.data(), result.data());
  const auto before = emulation::statistics();
  plain.run(a.data(), b.data(), result.data());
  plain.run(a.data(), b.data(), result.data());
  const auto after = emulation::statistics();
  EXPECT_EQ(after.api_calls - before.api_calls, 2);  // the pack of operands is made once
  EXPECT_EQ(after.live_allocations, before.live_allocations);
  EXPECT_EQ(after.synchronizations, before.synchronizations);
  stream_->synchronize();
  EXPECT_EQ(emulation::statistics().convolutions, before.convolutions + (before.convolutions == 0 ? 3 : 2));
}

TEST_P(DnnEngines, AreRecordedAtTheFirstRun) {
  DnnConv plain(*dnn_, GetParam(), conv({1, 1, 1}, 1, {1}, {1}), 1, Precision::kFp32);
  const Floats a(*stream_, std::vector{3.0F}), b(*stream_, std::vector{5.0F}), result(*stream_, 1);
  const Graph graph(stream_->get(), [&] { plain.run(a.data(), b.data(), result.data()); });
  EXPECT_EQ(result.values().front(), 0.0F);
  graph.launch(stream_->get());
  EXPECT_EQ(result.values().front(), 15.0F);
}

TEST_P(DnnEngines, AreNotChosenDuringCapture) {
  EXPECT_THROW(
      const Graph graph(
          stream_->get(),
          [&] {
            const DnnConv conv(*dnn_, GetParam(), test::conv({1, 1, 1}, 1, {1}, {1}), 1, Precision::kFp32);
          }),
      DeviceError);
}

TEST_P(DnnEngines, MayBeMissing) {
  if (GetParam() != ConvPass::kInputGradient) return;
  EXPECT_EQ(error_of(conv({32, 20, 18}, 64, {2, 1, 1, 16}, {3, 2, 0, 1}, 4)),
            "convolution of 2 x 32x20x18 with 64 windows of 2x3, stride 1x2, padding 1x0, dilation 16x1, "
            "groups 4: " +
                dnn_->version() + " has no deterministic fp32 engine for its input gradient");
}

TEST_P(DnnEngines, SayWhatFails) {
  const auto operation = conv({2, 3, 3}, 4, {2}, {2});
  inject("cudnnBackendExecute", 1, CUDNN_STATUS_EXECUTION_FAILED);
  const std::string result = GetParam() == ConvPass::kForward         ? "result"
                             : GetParam() == ConvPass::kInputGradient ? "input gradient"
                                                                      : "weight gradient";
  EXPECT_EQ(error_of(operation),
            "the " + result +
                " of a convolution of 2 x 2x3x3 with 4 windows of 2x2, stride 1, padding 0, "
                "dilation 1, groups 1: CUDNN_STATUS_of_the_emulation (cuDNN): an injected error");
  inject("cudnnBackendCreateDescriptor", 2, CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED);
  EXPECT_EQ(error_of(operation),
            "out of memory: preparing the shape of a convolution's operand: "
            "CUDNN_STATUS_of_the_emulation (cuDNN): an injected error");
  EXPECT_EQ(error_of(operation), "");
}

TEST_P(DnnEngines, LeaveNothingBehindWhereverCudnnFails) {
  const auto operation = conv({2, 3, 3}, 4, {2}, {2});
  for (const char* function : {"cudnnBackendCreateDescriptor", "cudnnBackendSetAttribute",
                               "cudnnBackendGetAttribute", "cudnnBackendFinalize"}) {
    int failures = 0;
    for (int call = 1; call < 100; ++call) {
      inject(function, call, CUDNN_STATUS_INTERNAL_ERROR);
      const auto before = emulation::statistics();
      if (!error_of(operation).empty()) ++failures;
      EXPECT_EQ(emulation::statistics().live_allocations, before.live_allocations) << function << call;
      EXPECT_EQ(emulation::statistics().live_descriptors, before.live_descriptors) << function << call;
    }
    EXPECT_GT(failures, 5) << function;
  }
}

INSTANTIATE_TEST_SUITE_P(Dnn, DnnEngines,
                         testing::Values(ConvPass::kForward, ConvPass::kInputGradient,
                                         ConvPass::kWeightGradient),
                         [](const auto& test) { return pass_name(test.param); });

}  // namespace
}  // namespace warpfit::test
