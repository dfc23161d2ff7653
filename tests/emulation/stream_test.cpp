// Streams and events: ordering, polling, handles, and returned errors.
#include <vector>

#include "tests/emulation/machine.hpp"
#include "tests/emulation/test_kernels.hpp"

namespace warpfit::emulation::test {
namespace {

using testing::HasSubstr;

class Streams : public InEachMode {};

TEST_P(Streams, AStreamKeepsItsOrder) {
  const TestStream stream;
  const DeviceArray<float> x(1, 1.0f);
  WARPFIT_CUDA(launch_scale(x.get(), 1, 3, stream));
  WARPFIT_CUDA(launch_add(x.get(), x.get(), 1, stream));
  WARPFIT_CUDA(launch_scale(x.get(), 1, 5, stream));
  EXPECT_EQ(x.value(), 30.0f);
}

TEST_P(Streams, AWaitBindsToTheRecordThatItSaw) {
  const TestStream first;
  const TestStream second;
  const TestEvent event;
  const DeviceArray<float> x(1, 1.0f);
  const DeviceArray<float> y(1, 0.0f);
  WARPFIT_CUDA(launch_scale(x.get(), 1, 3, first));
  WARPFIT_CUDA(cudaEventRecord(event, first));
  WARPFIT_CUDA(cudaStreamWaitEvent(second, event, 0));
  WARPFIT_CUDA(launch_add(x.get(), y.get(), 1, second));  // y = 3
  WARPFIT_CUDA(cudaEventRecord(event, second));
  WARPFIT_CUDA(cudaStreamWaitEvent(first, event, 0));
  WARPFIT_CUDA(launch_scale(x.get(), 1, 5, first));
  WARPFIT_CUDA(cudaStreamSynchronize(first));
  EXPECT_EQ(y.value(), 3.0f);
  EXPECT_EQ(x.value(), 15.0f);
}

TEST_P(Streams, WaitingForAnEventNeverRecordedIsNothing) {
  const TestStream stream;
  const TestEvent event;
  WARPFIT_CUDA(cudaStreamWaitEvent(stream, event, 0));
  WARPFIT_CUDA(cudaEventSynchronize(event));
  WARPFIT_CUDA(cudaEventQuery(event));
}

TEST_P(Streams, PollingGetsThere) {
  const TestStream stream;
  const TestEvent event;
  const DeviceArray<float> x(1, 1.0f);
  for (int i = 0; i < 5; ++i) WARPFIT_CUDA(launch_scale(x.get(), 1, 2, stream));
  WARPFIT_CUDA(cudaEventRecord(event, stream));
  int polls = 0;
  while (cudaEventQuery(event) == cudaErrorNotReady && polls < 100) ++polls;
  EXPECT_EQ(polls, config().streams == Config::Streams::kLazy ? 6 : 0);
  EXPECT_EQ(cudaStreamQuery(stream), cudaSuccess);
  EXPECT_EQ(x.value(), 32.0f);
}

TEST_P(Streams, TheWorkOfADestroyedStreamStillRuns) {
  const DeviceArray<float> x(1, 1.0f);
  cudaStream_t stream = nullptr;
  WARPFIT_CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  WARPFIT_CUDA(launch_scale(x.get(), 1, 2, stream));
  WARPFIT_CUDA(cudaStreamDestroy(stream));
  EXPECT_EQ(x.value(), 2.0f);
}

TEST_P(Streams, HostFunctionsRunInTheirTurnAndCallNoCuda) {
  struct Data {
    std::vector<cudaError_t> errors;
  } data;
  const TestStream stream;
  WARPFIT_CUDA(cudaLaunchHostFunc(
      stream,
      [](void* pointer) {
        void* memory = nullptr;
        static_cast<Data*>(pointer)->errors.push_back(cudaMalloc(&memory, 1));
      },
      &data));
  WARPFIT_CUDA(cudaStreamSynchronize(stream));
  EXPECT_EQ(data.errors, std::vector<cudaError_t>{cudaErrorNotPermitted});
  EXPECT_EQ(statistics().host_functions, 1);
}

TEST_P(Streams, EventsTellTime) {
  const TestStream stream;
  const TestEvent start(cudaEventDefault);
  const TestEvent end(cudaEventDefault);
  const TestEvent untimed;
  const TestEvent never(cudaEventDefault);
  float milliseconds = -1;
  WARPFIT_CUDA(cudaEventRecord(start, stream));
  WARPFIT_CUDA(cudaEventRecord(end, stream));
  WARPFIT_CUDA(cudaEventRecord(untimed, stream));
  if (config().streams == Config::Streams::kLazy) {
    EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorNotReady);
  }
  WARPFIT_CUDA(cudaEventSynchronize(end));
  WARPFIT_CUDA(cudaEventElapsedTime(&milliseconds, start, end));
  EXPECT_GE(milliseconds, 0.0f);
  EXPECT_LT(milliseconds, 10000.0f);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, untimed), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, never), cudaErrorInvalidResourceHandle);
}

INSTANTIATE_TEST_SUITE_P(Each, Streams, each_mode(), mode_name);

class Handles : public OnMachine {};

TEST_F(Handles, DestroyedOnesAreRecognized) {
  cudaStream_t stream = nullptr;
  cudaEvent_t event = nullptr;
  WARPFIT_CUDA(cudaStreamCreate(&stream));
  WARPFIT_CUDA(cudaEventCreate(&event));
  WARPFIT_CUDA(cudaStreamDestroy(stream));
  WARPFIT_CUDA(cudaEventDestroy(event));
  EXPECT_THAT(failure_of([&] { static_cast<void>(cudaStreamSynchronize(stream)); }),
              HasSubstr("a stream is used after it was destroyed"));
  EXPECT_THAT(failure_of([&] { static_cast<void>(cudaEventRecord(event, nullptr)); }),
              HasSubstr("an event is used after it was destroyed"));
  EXPECT_THAT(failure_of([&] { static_cast<void>(cudaStreamDestroy(stream)); }), HasSubstr("destroyed"));
}

TEST_F(Handles, OtherThingsAreNoHandles) {
  int nothing = 0;
  const auto stream = reinterpret_cast<cudaStream_t>(&nothing);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventRecord(reinterpret_cast<cudaEvent_t>(&nothing), nullptr),
            cudaErrorInvalidResourceHandle);
  EXPECT_EQ(launch_scale(nullptr, 0, 1, stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventRecord(nullptr, nullptr), cudaErrorInvalidResourceHandle);
}

TEST_F(Handles, AreCounted) {
  {
    const TestStream stream;
    const TestEvent event;
    EXPECT_EQ(statistics().live_streams, 1);
    EXPECT_EQ(statistics().live_events, 1);
  }
  EXPECT_EQ(statistics().live_streams, 0);
  EXPECT_EQ(statistics().live_events, 0);
}

TEST_F(Handles, FlagsAndPriorities) {
  cudaStream_t stream = nullptr;
  cudaEvent_t event = nullptr;
  int least = 1;
  int greatest = 1;
  EXPECT_EQ(cudaStreamCreateWithFlags(&stream, 77), cudaErrorInvalidValue);
  EXPECT_EQ(cudaEventCreateWithFlags(&event, 77), cudaErrorInvalidValue);
  WARPFIT_CUDA(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  EXPECT_EQ(least, 0);
  EXPECT_LT(greatest, 0);
  WARPFIT_CUDA(cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking, greatest));
  WARPFIT_CUDA(cudaStreamDestroy(stream));
}

}  // namespace
}  // namespace warpfit::emulation::test
