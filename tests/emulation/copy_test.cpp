// Which copies and fills the host has to wait for: with lazy streams, work that need not have run has not
// run.
#include "tests/emulation/machine.hpp"
#include "tests/emulation/test_kernels.hpp"

namespace warpfit::emulation::test {
namespace {

class LazyCopies : public testing::Test {
 protected:
  LazyCopies() { configure(in_mode(Config::Order::kForward, Config::Streams::kLazy)); }
  ~LazyCopies() override { configure({}); }

  /// Reads the current value without synchronization. In a program this would be a race; it is hidden from
  /// ThreadSanitizer here.
  __attribute__((noinline, no_sanitize("thread"))) static float peek(const volatile float* address) {
    return *address;
  }
  __attribute__((noinline, no_sanitize("thread"))) static void poke(volatile float* address, float value) {
    *address = value;
  }
};

TEST_F(LazyCopies, PinnedMemoryIsReadWhenTheCopyRuns) {
  const TestStream stream;
  const PinnedArray<float> host(1);
  const DeviceArray<float> device(1, 0.0f);
  host[0] = 1;
  WARPFIT_CUDA(cudaMemcpyAsync(device.get(), host.get(), 4, cudaMemcpyHostToDevice, stream));
  poke(host.get(), 2);
  EXPECT_EQ(peek(device.get()), 0.0f);
  WARPFIT_CUDA(cudaStreamSynchronize(stream));
  EXPECT_EQ(device.value(), 2.0f);
}

TEST_F(LazyCopies, PageableMemoryIsReadAtOnceAndWrittenInTurn) {
  const TestStream stream;
  const DeviceArray<float> device(1, 0.0f);
  float host = 1;
  WARPFIT_CUDA(cudaMemcpyAsync(device.get(), &host, 4, cudaMemcpyHostToDevice, stream));
  host = 2;
  EXPECT_EQ(peek(device.get()), 0.0f);
  EXPECT_EQ(device.value(), 1.0f);
}

TEST_F(LazyCopies, PageableMemoryIsWrittenBeforeTheReturn) {
  const TestStream stream;
  const DeviceArray<float> device(std::vector<float>{1.0f});
  float host = 0;
  WARPFIT_CUDA(launch_scale(device.get(), 1, 5, stream));
  WARPFIT_CUDA(cudaMemcpyAsync(&host, device.get(), 4, cudaMemcpyDeviceToHost, stream));
  EXPECT_EQ(host, 5.0f);
}

TEST_F(LazyCopies, PinnedMemoryIsWrittenWhenTheCopyRuns) {
  const TestStream stream;
  const PinnedArray<float> host(1);
  const DeviceArray<float> device(std::vector<float>{1.0f});
  host[0] = 0;
  WARPFIT_CUDA(cudaMemcpyAsync(host.get(), device.get(), 4, cudaMemcpyDeviceToHost, stream));
  EXPECT_EQ(peek(host.get()), 0.0f);
  WARPFIT_CUDA(cudaStreamSynchronize(stream));
  EXPECT_EQ(host[0], 1.0f);
}

TEST_F(LazyCopies, SynchronousCopiesOfPinnedMemoryAreDoneOnReturn) {
  const PinnedArray<float> host(1);
  const DeviceArray<float> device(1, 0.0f);
  host[0] = 1;
  WARPFIT_CUDA(cudaMemcpy(device.get(), host.get(), 4, cudaMemcpyHostToDevice));
  EXPECT_EQ(peek(device.get()), 1.0f);
  host[0] = 0;
  WARPFIT_CUDA(cudaMemcpy(host.get(), device.get(), 4, cudaMemcpyDeviceToHost));
  EXPECT_EQ(host[0], 1.0f);
}

TEST_F(LazyCopies, FillsAndDeviceCopiesNeverWait) {
  const DeviceArray<float> from(std::vector<float>{3.0f});
  const DeviceArray<float> to(1, 1.0f);
  WARPFIT_CUDA(cudaMemset(to.get(), 0, 4));
  EXPECT_EQ(peek(to.get()), 1.0f);
  WARPFIT_CUDA(cudaMemcpy(to.get(), from.get(), 4, cudaMemcpyDeviceToDevice));
  EXPECT_EQ(peek(to.get()), 1.0f);
  EXPECT_EQ(to.value(), 3.0f);
}

TEST_F(LazyCopies, ANonBlockingStreamDoesNotWaitForAFillInTheDefaultStream) {
  if (kThreadSanitizer) GTEST_SKIP() << "it is a race";
  const TestStream stream;
  const DeviceArray<float> device(1, 1.0f);
  WARPFIT_CUDA(cudaMemset(device.get(), 0, 4));
  WARPFIT_CUDA(launch_scale(device.get(), 1, 5, stream));
  WARPFIT_CUDA(cudaStreamSynchronize(stream));
  EXPECT_EQ(peek(device.get()), 5.0f);  // the fill has not run yet
  EXPECT_EQ(device.value(), 0.0f);
}

TEST_F(LazyCopies, ABlockingStreamDoes) {
  const TestStream stream(cudaStreamDefault);
  const DeviceArray<float> device(1, 1.0f);
  WARPFIT_CUDA(cudaMemset(device.get(), 0, 4));
  WARPFIT_CUDA(launch_scale(device.get(), 1, 5, stream));
  WARPFIT_CUDA(cudaStreamSynchronize(stream));
  EXPECT_EQ(device.value(), 0.0f);
}

TEST_F(LazyCopies, TheDefaultStreamWaitsForBlockingStreams) {
  const TestStream stream(cudaStreamDefault);
  const DeviceArray<float> device(1, 1.0f);
  float host = 0;
  WARPFIT_CUDA(launch_scale(device.get(), 1, 5, stream));
  WARPFIT_CUDA(cudaMemcpy(&host, device.get(), 4, cudaMemcpyDeviceToHost));
  EXPECT_EQ(host, 5.0f);
}

TEST_F(LazyCopies, FreeingWaitsForAllWork) {
  const TestStream stream;
  const DeviceArray<float> device(1, 1.0f);
  float* other = nullptr;
  WARPFIT_CUDA(cudaMalloc(&other, 4));
  WARPFIT_CUDA(launch_scale(device.get(), 1, 5, stream));
  EXPECT_EQ(peek(device.get()), 1.0f);
  WARPFIT_CUDA(cudaFree(other));
  EXPECT_EQ(peek(device.get()), 5.0f);
}

}  // namespace
}  // namespace warpfit::emulation::test
