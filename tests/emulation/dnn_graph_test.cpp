// cuDNN's graph API: checks of descriptors, and plans as work in streams and graphs.
#include <cmath>

#include "tests/emulation/machine.hpp"
#include "tests/emulation/recording.hpp"
#include "tests/emulation/test_plan.hpp"

namespace warpfit::emulation::test {
namespace {

using testing::HasSubstr;
constexpr std::int64_t kBroken = 4, kPlain = 6;  // engines

class DnnGraphs : public InEachMode {
 protected:
  DnnGraphs() {
    EXPECT_EQ(cudnnCreate(&handle_), CUDNN_STATUS_SUCCESS);
    EXPECT_EQ(cudnnSetStream(handle_, stream_), CUDNN_STATUS_SUCCESS);
  }
  ~DnnGraphs() override { static_cast<void>(cudnnDestroy(handle_)); }

  TestStream stream_;
  cudnnHandle_t handle_ = nullptr;
  DeviceArray<float> x_{4, 3.0f}, w_{4, 5.0f}, y_{4, 0.0f}, workspace_{2000, 1.0f};
  TestPack pack_{{1, 2, 3}, {x_.get(), w_.get(), y_.get()}, workspace_.get()};
};

TEST_P(DnnGraphs, APlanRunsInItsStreamAndOverwritesItsWorkspace) {
  const TestPlan plan(handle_, kPlain);
  ASSERT_EQ(plan.status, CUDNN_STATUS_SUCCESS);
  ASSERT_EQ(cudnnBackendExecute(handle_, plan.plan, pack_), CUDNN_STATUS_SUCCESS);
  EXPECT_EQ(y_.value(), 15.0f);
  EXPECT_TRUE(std::isnan(workspace_.value()));
  EXPECT_EQ(workspace_.values()[1027], 1.0f);
}

TEST_P(DnnGraphs, APlanIsRecordedAndItsPackMayGo) {
  const TestPlan plan(handle_, kPlain);
  const Recording graph(stream_, [&] {
    const TestPack pack{{3, 1, 2}, {y_.get(), x_.get(), w_.get()}, workspace_.get()};
    ASSERT_EQ(cudnnBackendExecute(handle_, plan.plan, pack), CUDNN_STATUS_SUCCESS);
  });
  EXPECT_EQ(y_.value(), 0.0f);
  WARPFIT_CUDA(graph.launch(stream_));
  EXPECT_EQ(y_.value(), 15.0f);
}

TEST_P(DnnGraphs, NothingIsPreparedDuringCapture) {
  WARPFIT_CUDA(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal));
  cudnnBackendDescriptor_t descriptor = nullptr;
  EXPECT_EQ(cudnnBackendCreateDescriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR, &descriptor),
            CUDNN_STATUS_EXECUTION_FAILED_CUDART);
  cudaGraph_t graph = nullptr;
  EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaErrorStreamCaptureInvalidated);
}

TEST_P(DnnGraphs, SomeEnginesHaveNoPlan) {
  EXPECT_EQ(TestPlan(handle_, kBroken).status, CUDNN_STATUS_NOT_SUPPORTED);
}

TEST_P(DnnGraphs, OperandsLieInDeviceMemoryWholeAndApart) {
  const TestPlan plan(handle_, kPlain);
  const auto failure = [&](void* x, void* y, void* workspace) {
    const TestPack pack({1, 2, 3}, {x, w_.get(), y}, workspace);
    return failure_of([&] { static_cast<void>(cudnnBackendExecute(handle_, plan.plan, pack)); });
  };
  alignas(16) float host[4] = {};
  EXPECT_THAT(failure(host, y_.get(), workspace_.get()),
              HasSubstr("x takes 4 bytes and begins in no memory"));
  EXPECT_THAT(failure(x_.get() + 4, y_.get(), workspace_.get()), HasSubstr("x takes 4 bytes and begins"));
  EXPECT_THAT(failure(x_.get(), x_.get(), workspace_.get()), HasSubstr("y overlaps x"));
  EXPECT_THAT(failure(x_.get(), y_.get(), nullptr), HasSubstr("the workspace takes 4108 bytes"));
  EXPECT_THAT(failure(x_.get(), y_.get(), workspace_.get() + 1000),
              HasSubstr("the workspace takes 4108 bytes"));
}

TEST_P(DnnGraphs, OperandsAreNamedAndAligned) {
  const TestPlan plan(handle_, kPlain);
  const TestPack unknown({1, 2, 4}, {x_.get(), w_.get(), y_.get()}, workspace_.get());
  EXPECT_EQ(cudnnBackendExecute(handle_, plan.plan, unknown), CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
  const TestPack odd({1, 2, 3}, {x_.get() + 1, w_.get(), y_.get()}, workspace_.get());
  EXPECT_EQ(cudnnBackendExecute(handle_, plan.plan, odd), CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER);
  EXPECT_EQ(TestPack({1, 2}, {x_.get()}, nullptr).status, CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(TestPack({1, 1}, {x_.get(), y_.get()}, nullptr).status,
            CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES);
}

INSTANTIATE_TEST_SUITE_P(Each, DnnGraphs, each_mode(), mode_name);

class DnnDescriptors : public OnMachine {};

TEST_F(DnnDescriptors, CheckTheirAttributes) {
  TestDescriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  EXPECT_EQ(tensor.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, {1}), CUDNN_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(last_error(), "the descriptor has no attribute 102");
  EXPECT_EQ(last_error(), "");
  EXPECT_EQ(tensor.set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_FLOAT, std::vector{1.0f}),
            CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE);
  EXPECT_EQ(tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, {1, 2}), CUDNN_STATUS_BAD_PARAM_OUT_OF_BOUND);
  EXPECT_EQ(tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, {1}), CUDNN_STATUS_SUCCESS);
  EXPECT_EQ(tensor.finalize(), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(last_error(), "attribute 901 is not set");

  TestTensor finished(1, {1, 1, 1, 1}, {1, 1, 1, 1});
  EXPECT_EQ(finished.status, CUDNN_STATUS_SUCCESS);
  EXPECT_EQ(finished.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, {1}), CUDNN_STATUS_NOT_INITIALIZED);
  EXPECT_EQ(finished.finalize(), CUDNN_STATUS_BAD_PARAM);
  cudnnBackendDescriptor_t unknown = nullptr;
  EXPECT_EQ(cudnnBackendCreateDescriptor(CUDNN_BACKEND_RNG_DESCRIPTOR, &unknown), CUDNN_STATUS_NOT_SUPPORTED);
}

TEST_F(DnnDescriptors, ReferToFinishedOnesOfTheRightType) {
  const TestDescriptor unfinished(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  const TestWindows windows;
  TestDescriptor operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  EXPECT_EQ(operation.refer(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, unfinished),
            CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED);
  EXPECT_EQ(operation.refer(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, windows),
            CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE);
  std::int64_t count = 0;
  EXPECT_EQ(
      cudnnBackendGetAttribute(unfinished, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &count, &count),
      CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED);
  cudnnBackendDescriptor_t gone = nullptr;
  ASSERT_EQ(cudnnBackendCreateDescriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR, &gone), CUDNN_STATUS_SUCCESS);
  ASSERT_EQ(cudnnBackendDestroyDescriptor(gone), CUDNN_STATUS_SUCCESS);
  EXPECT_THAT(failure_of([&] { static_cast<void>(cudnnBackendFinalize(gone)); }),
              HasSubstr("a cuDNN descriptor is used after it was destroyed"));
}

TEST_F(DnnDescriptors, CheckShapes) {
  EXPECT_EQ(TestTensor(1, {1, 2, 3, 4}, {24, 1, 8}).status, CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(TestTensor(1, {1, 2, -1, 4}, {24, 1, 8, 2}).status, CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(TestWindows({1, 0}).status, CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(TestWindows({1, 1, 1}).status, CUDNN_STATUS_BAD_PARAM);

  const TestWindows windows({2, 1});
  const TestTensor x(1, {1, 4, 7, 5}, {140, 1, 20, 4}), w(2, {6, 2, 3, 2}, {12, 1, 4, 2}),
      y(3, {1, 6, 3, 4}, {72, 1, 24, 6});
  EXPECT_EQ(TestConvolution(x, w, y, windows).status, CUDNN_STATUS_SUCCESS);
  EXPECT_EQ(TestConvolution(x, w, y, windows, 2).status, CUDNN_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(TestConvolution(x, w, y, TestWindows()).status, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
  for (const Numbers& dimensions : {Numbers{2, 6, 3, 4}, Numbers{1, 5, 3, 4}, Numbers{1, 6, 3, 5}}) {
    const TestTensor other(3, dimensions, {100, 1, 100, 6});
    EXPECT_EQ(TestConvolution(x, w, other, windows).status, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
  }
  const TestTensor empty(3, {1, 6, 0, 4}, {72, 1, 24, 6});
  EXPECT_EQ(empty.status, CUDNN_STATUS_SUCCESS);
  EXPECT_EQ(TestConvolution(x, w, empty, windows).status, CUDNN_STATUS_BAD_PARAM);
  const TestTensor three(2, {6, 3, 3, 2}, {18, 1, 6, 3});  // of 4 channels
  EXPECT_EQ(TestConvolution(x, three, y, windows).status, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
  const TestTensor odd(2, {5, 2, 3, 2}, {12, 1, 4, 2}),
      odd_y(3, {1, 5, 3, 4}, {60, 1, 20, 5});  // in 2 groups
  EXPECT_EQ(TestConvolution(x, odd, odd_y, windows).status, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
}

TEST_F(DnnDescriptors, EnginesNeedPackedTensorsWithChannelsLast) {
  cudnnHandle_t handle = nullptr;
  ASSERT_EQ(cudnnCreate(&handle), CUDNN_STATUS_SUCCESS);
  const auto status = [&](const Numbers& x_strides, const Numbers& w_strides) {
    const TestTensor x(1, {2, 4, 7, 5}, x_strides), w(2, {6, 2, 3, 2}, w_strides),
        y(3, {2, 6, 5, 4}, {120, 1, 24, 6});
    const TestWindows windows;
    const TestConvolution convolution(x, w, y, windows);
    TestDescriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, std::vector{handle});
    graph.refer(CUDNN_ATTR_OPERATIONGRAPH_OPS, convolution);
    EXPECT_EQ(graph.finalize(), CUDNN_STATUS_SUCCESS);
    TestDescriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristics.refer(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, std::vector{CUDNN_HEUR_MODE_FALLBACK});
    return heuristics.finalize();
  };
  EXPECT_EQ(status({140, 1, 20, 4}, {12, 1, 4, 2}), CUDNN_STATUS_SUCCESS);
  EXPECT_EQ(status({144, 1, 20, 4}, {12, 1, 4, 2}), CUDNN_STATUS_NOT_SUPPORTED_LAYOUT);
  EXPECT_EQ(status({140, 35, 5, 1}, {12, 1, 4, 2}), CUDNN_STATUS_NOT_SUPPORTED_LAYOUT);
  EXPECT_EQ(status({140, 1, 20, 4}, {12, 6, 2, 1}), CUDNN_STATUS_NOT_SUPPORTED_LAYOUT);
  EXPECT_EQ(cudnnDestroy(handle), CUDNN_STATUS_SUCCESS);
}

}  // namespace
}  // namespace warpfit::emulation::test
