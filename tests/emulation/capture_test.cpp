// Calls that are not allowed during stream capture, and the errors that CUDA returns for them.
#include <thread>

#include "tests/emulation/machine.hpp"
#include "tests/emulation/test_kernels.hpp"

namespace warpfit::emulation::test {
namespace {

class Captures : public OnMachine {
 protected:
  void begin(cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal) {
    WARPFIT_CUDA(cudaStreamBeginCapture(stream_, mode));
  }
  cudaError_t end(cudaStream_t stream) {
    cudaGraph_t graph = nullptr;
    const cudaError_t error = cudaStreamEndCapture(stream, &graph);
    EXPECT_EQ(error == cudaSuccess, graph != nullptr);
    if (graph != nullptr) static_cast<void>(cudaGraphDestroy(graph));
    return error;
  }
  cudaError_t end() { return end(stream_); }
  cudaStreamCaptureStatus status() {
    cudaStreamCaptureStatus now = cudaStreamCaptureStatusNone;
    EXPECT_EQ(cudaStreamIsCapturing(stream_, &now), cudaSuccess);
    return now;
  }
  /// Expects that `action` returns `error` during a capture and invalidates the capture.
  template <class F>
  void expect_spoils(cudaError_t error, F action, cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal) {
    begin(mode);
    EXPECT_EQ(status(), cudaStreamCaptureStatusActive);
    EXPECT_EQ(action(), error);
    EXPECT_EQ(status(), cudaStreamCaptureStatusInvalidated);
    EXPECT_EQ(launch_scale(x_.get(), 1, 2, stream_), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(status(), cudaStreamCaptureStatusNone);
  }

  TestStream stream_;
  TestStream other_;
  TestEvent event_;
  DeviceArray<float> x_{1, 1.0f};
};

TEST_F(Captures, RefuseToWait) {
  expect_spoils(cudaErrorStreamCaptureUnsupported, [&] { return cudaStreamSynchronize(stream_); });
  expect_spoils(cudaErrorStreamCaptureUnsupported, [&] { return cudaStreamQuery(stream_); });
  for (const auto mode :
       {cudaStreamCaptureModeGlobal, cudaStreamCaptureModeThreadLocal, cudaStreamCaptureModeRelaxed}) {
    expect_spoils(
        cudaErrorStreamCaptureUnsupported, [] { return cudaDeviceSynchronize(); }, mode);
  }
}

TEST_F(Captures, RefuseUnsafeCallsUnlessRelaxed) {
  const auto allocate = [] {
    void* memory = nullptr;
    const cudaError_t error = cudaMalloc(&memory, 4);
    if (error == cudaSuccess) static_cast<void>(cudaFree(memory));
    return error;
  };
  expect_spoils(cudaErrorStreamCaptureUnsupported, allocate);
  expect_spoils(cudaErrorStreamCaptureUnsupported, allocate, cudaStreamCaptureModeThreadLocal);
  float host = 0;
  expect_spoils(cudaErrorStreamCaptureUnsupported,
                [&] { return cudaMemcpy(&host, x_.get(), 4, cudaMemcpyDeviceToHost); });
  WARPFIT_CUDA(cudaEventRecord(event_, other_));
  expect_spoils(cudaErrorStreamCaptureUnsupported, [&] { return cudaEventQuery(event_); });
  begin(cudaStreamCaptureModeRelaxed);
  WARPFIT_CUDA(allocate());
  WARPFIT_CUDA(cudaEventQuery(event_));
  WARPFIT_CUDA(end());
}

TEST_F(Captures, OfOtherThreadsMatterInGlobalModeOnly) {
  const auto elsewhere = [&](cudaStreamCaptureMode mode) {
    cudaError_t error = cudaSuccess;
    std::thread([&] {
      static_cast<void>(cudaThreadExchangeStreamCaptureMode(&mode));
      error = cudaEventSynchronize(event_);
    }).join();
    return error;
  };
  begin(cudaStreamCaptureModeThreadLocal);
  EXPECT_EQ(elsewhere(cudaStreamCaptureModeGlobal), cudaSuccess);
  WARPFIT_CUDA(end());
  begin(cudaStreamCaptureModeGlobal);
  EXPECT_EQ(elsewhere(cudaStreamCaptureModeThreadLocal), cudaSuccess);
  EXPECT_EQ(elsewhere(cudaStreamCaptureModeRelaxed), cudaSuccess);
  EXPECT_EQ(elsewhere(cudaStreamCaptureModeGlobal), cudaErrorStreamCaptureUnsupported);
  EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
}

TEST_F(Captures, TakeNoPageableMemory) {
  float host = 0;
  expect_spoils(cudaErrorStreamCaptureUnsupported,
                [&] { return cudaMemcpyAsync(x_.get(), &host, 4, cudaMemcpyHostToDevice, stream_); });
}

TEST_F(Captures, CannotBeOfTheDefaultStream) {
  EXPECT_EQ(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeGlobal), cudaErrorStreamCaptureUnsupported);
}

TEST_F(Captures, OfABlockingStreamForbidTheDefaultStream) {
  const TestStream blocking(cudaStreamDefault);
  WARPFIT_CUDA(cudaStreamBeginCapture(blocking, cudaStreamCaptureModeRelaxed));
  EXPECT_EQ(launch_scale(x_.get(), 1, 2, nullptr), cudaErrorStreamCaptureImplicit);
  EXPECT_EQ(end(blocking), cudaErrorStreamCaptureInvalidated);
  begin(cudaStreamCaptureModeRelaxed);  // relaxed mode allows the call
  WARPFIT_CUDA(launch_scale(x_.get(), 1, 2, nullptr));
  WARPFIT_CUDA(end());
}

TEST_F(Captures, MustJoinWhatTheyForked) {
  begin();
  WARPFIT_CUDA(cudaEventRecord(event_, stream_));
  WARPFIT_CUDA(cudaStreamWaitEvent(other_, event_, 0));
  WARPFIT_CUDA(launch_scale(x_.get(), 1, 2, other_));
  EXPECT_EQ(end(), cudaErrorStreamCaptureUnjoined);
  WARPFIT_CUDA(cudaStreamSynchronize(other_));  // neither stream is being captured any more
  EXPECT_EQ(x_.value(), 1.0f);
}

TEST_F(Captures, EndWhereTheyBegan) {
  begin();
  WARPFIT_CUDA(cudaEventRecord(event_, stream_));
  WARPFIT_CUDA(cudaStreamWaitEvent(other_, event_, 0));
  EXPECT_EQ(end(other_), cudaErrorStreamCaptureUnmatched);
  EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
  EXPECT_EQ(end(), cudaErrorIllegalState);
}

TEST_F(Captures, EndInTheThreadThatBeganThem) {
  begin();
  cudaError_t error = cudaSuccess;
  std::thread([&] { error = end(); }).join();
  EXPECT_EQ(error, cudaErrorStreamCaptureWrongThread);
  WARPFIT_CUDA(end());
}

TEST_F(Captures, DoNotDependOnWorkOutside) {
  WARPFIT_CUDA(cudaEventRecord(event_, other_));
  expect_spoils(cudaErrorStreamCaptureIsolation, [&] { return cudaStreamWaitEvent(stream_, event_, 0); });
}

TEST_F(Captures, DoNotMerge) {
  begin(cudaStreamCaptureModeRelaxed);
  WARPFIT_CUDA(cudaStreamBeginCapture(other_, cudaStreamCaptureModeRelaxed));
  WARPFIT_CUDA(cudaEventRecord(event_, stream_));
  EXPECT_EQ(cudaStreamWaitEvent(other_, event_, 0), cudaErrorStreamCaptureMerge);
  EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
  EXPECT_EQ(end(other_), cudaErrorStreamCaptureInvalidated);
}

TEST_F(Captures, MakeEventsThatCannotBeWaitedFor) {
  expect_spoils(
      cudaErrorCapturedEvent,
      [&] {
        EXPECT_EQ(cudaEventRecord(event_, stream_), cudaSuccess);
        return cudaEventSynchronize(event_);
      },
      cudaStreamCaptureModeRelaxed);
  EXPECT_EQ(cudaEventSynchronize(event_), cudaErrorCapturedEvent);
  WARPFIT_CUDA(cudaEventRecord(event_, stream_));  // after the capture it is an ordinary event again
  WARPFIT_CUDA(cudaEventSynchronize(event_));
}

TEST_F(Captures, BeginOnce) {
  begin();
  EXPECT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal), cudaErrorIllegalState);
  WARPFIT_CUDA(end());
}

}  // namespace
}  // namespace warpfit::emulation::test
