// Several host threads on one machine: a reader fills pinned slots while another thread computes.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/emulation/machine.hpp"
#include "tests/emulation/test_kernels.hpp"

namespace warpfit::emulation::test {
namespace {

class Threads : public InEachMode {};

TEST_P(Threads, AReaderFillsSlotsDuringTraining) {
  constexpr int kSize = 100;
  constexpr int kSteps = 20;
  struct Slot {
    PinnedArray<float> host{kSize};
    DeviceArray<float> device{kSize};
    TestEvent uploaded;
    bool full = false;
  } slots[2];
  std::mutex mutex;
  std::condition_variable changed;
  std::thread reader([&] {
    for (int step = 0; step < kSteps; ++step) {
      Slot& slot = slots[step % 2];
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return !slot.full; });
      lock.unlock();
      EXPECT_EQ(cudaEventSynchronize(slot.uploaded), cudaSuccess);
      for (float& value : slot.host) value = static_cast<float>(step);
      lock.lock();
      slot.full = true;
      changed.notify_all();
    }
  });
  const TestStream stream;
  const DeviceArray<float> sum(1, 0.0f);
  for (int step = 0; step < kSteps; ++step) {
    Slot& slot = slots[step % 2];
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return slot.full; });
    WARPFIT_CUDA(cudaMemcpyAsync(slot.device.get(), slot.host.get(), slot.host.bytes(),
                                 cudaMemcpyHostToDevice, stream));
    WARPFIT_CUDA(cudaEventRecord(slot.uploaded, stream));
    WARPFIT_CUDA(launch_sum(slot.device.get(), sum.get(), kSize, stream));
    slot.full = false;
    changed.notify_all();
  }
  reader.join();
  EXPECT_EQ(sum.value(), static_cast<float>(kSize * kSteps * (kSteps - 1) / 2));
}

TEST_P(Threads, ErrorsBelongToTheirThread) {
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(nullptr, 4), cudaErrorInvalidValue);
  std::thread([&] {
    EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
    EXPECT_EQ(cudaFree(&memory), cudaErrorInvalidValue);
    EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
  }).join();
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST_P(Threads, ManyAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&right, t] {
      const TestStream stream;
      const PinnedArray<float> host(50);
      for (float& value : host) value = static_cast<float>(t);
      float* device = nullptr;
      EXPECT_EQ(cudaMalloc(&device, host.bytes()), cudaSuccess);
      for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(cudaMemcpyAsync(device, host.get(), host.bytes(), cudaMemcpyHostToDevice, stream),
                  cudaSuccess);
        EXPECT_EQ(launch_scale(device, 50, 2, stream), cudaSuccess);
        EXPECT_EQ(cudaMemcpyAsync(host.get(), device, host.bytes(), cudaMemcpyDeviceToHost, stream),
                  cudaSuccess);
      }
      EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
      if (host[49] == static_cast<float>(t * 1024)) ++right;
      EXPECT_EQ(cudaFree(device), cudaSuccess);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 4);
}

INSTANTIATE_TEST_SUITE_P(Each, Threads, each_mode(), mode_name);

}  // namespace
}  // namespace warpfit::emulation::test
