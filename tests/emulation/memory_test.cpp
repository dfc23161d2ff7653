// Device and pinned memory: contents, limits, pointer attributes, and misuse.
#include <cmath>
#include <cstdint>
#include <cstring>

#include "tests/emulation/machine.hpp"
#include "tests/emulation/test_kernels.hpp"

namespace warpfit::emulation::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class MemoryUse : public OnMachine {};

TEST_F(MemoryUse, FreshMemoryIsNan) {
  const DeviceArray<float> x(1000);
  for (const float value : x.values()) ASSERT_TRUE(std::isnan(value));
  const PinnedArray<float> y(10);
  for (const float value : y) ASSERT_TRUE(std::isnan(value));
}

TEST_F(MemoryUse, ReusedMemoryIsNanToo) {
  for (int round = 0; round < 3; ++round) {
    const DeviceArray<float> x(100);
    ASSERT_TRUE(std::isnan(x.value()));
    x.set(std::vector<float>(100, 1.0f));
  }
}

TEST_F(MemoryUse, AlignedAsCudaPromises) {
  for (const std::size_t size : {1, 3, 255, 256, 257, 5000}) {
    const DeviceArray<char> x(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(x.get()) % 256, 0u) << size;
  }
}

TEST_F(MemoryUse, TheDeviceHasSoMuchAndNoMore) {
  Config config = in_mode(Config::Order::kForward, Config::Streams::kEager);
  config.device_memory = 1 << 20;
  configure(config);
  std::size_t free = 0;
  std::size_t total = 0;
  void* more = nullptr;
  {
    const DeviceArray<char> x(1 << 19);
    WARPFIT_CUDA(cudaMemGetInfo(&free, &total));
    EXPECT_EQ(free, 1u << 19);
    EXPECT_EQ(total, 1u << 20);
    EXPECT_EQ(cudaMalloc(&more, (1 << 19) + 1), cudaErrorMemoryAllocation);
    EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
    EXPECT_EQ(statistics().live_bytes, 1 << 19);
  }
  WARPFIT_CUDA(cudaMalloc(&more, 1 << 20));
  WARPFIT_CUDA(cudaFree(more));
  EXPECT_EQ(statistics().peak_bytes, 1 << 20);
  EXPECT_EQ(statistics().live_allocations, 0);
}

TEST_F(MemoryUse, PinnedMemoryCanBeRefused) {
  Config config = in_mode(Config::Order::kForward, Config::Streams::kEager);
  config.pinned_memory = 0;
  configure(config);
  void* start = nullptr;
  EXPECT_EQ(cudaMallocHost(&start, 1), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaHostAlloc(&start, 1, cudaHostAllocDefault), cudaErrorMemoryAllocation);
}

TEST_F(MemoryUse, PointersAreKnownByKind) {
  const DeviceArray<float> device(10);
  const PinnedArray<float> pinned(10);
  float pageable = 0;
  cudaPointerAttributes attributes{};
  WARPFIT_CUDA(cudaPointerGetAttributes(&attributes, device.get() + 9));
  EXPECT_EQ(attributes.type, cudaMemoryTypeDevice);
  WARPFIT_CUDA(cudaPointerGetAttributes(&attributes, pinned.get()));
  EXPECT_EQ(attributes.type, cudaMemoryTypeHost);
  WARPFIT_CUDA(cudaPointerGetAttributes(&attributes, &pageable));
  EXPECT_EQ(attributes.type, cudaMemoryTypeUnregistered);
}

TEST_F(MemoryUse, KernelsTakeNoHostPointers) {
  std::vector<float> host(10);
  const DeviceArray<float> device(std::vector<float>(10, 1.0f));
  EXPECT_THAT(failure_of([&] { static_cast<void>(launch_add(host.data(), device.get(), 10, nullptr)); }),
              HasSubstr("kernel add: argument 0 points in no memory of CUDA's"));
  EXPECT_THAT(failure_of([&] { static_cast<void>(launch_add(device.get(), host.data(), 10, nullptr)); }),
              HasSubstr("kernel add: argument 1 points"));
  EXPECT_EQ(failure_of([&] { static_cast<void>(launch_add(device.get(), device.get(), 10, nullptr)); }), "");
}

TEST_F(MemoryUse, StructuresHoldNoHostPointersEither) {
#if defined(__clang__)
  GTEST_SKIP() << "clang cannot tell a structure's padding from its members";
#endif
  std::vector<float> host(10);
  const DeviceArray<float> device(std::vector<float>(10, 1.0f));
  EXPECT_THAT(failure_of([&] {
                static_cast<void>(launch_copy({device.get(), 10, host.data()}, nullptr));
              }),
              HasSubstr("kernel copy: argument 0 holds a pointer at byte 16"));
}

TEST_F(MemoryUse, KernelsMayUsePinnedMemory) {
  const PinnedArray<float> pinned(10);
  for (float& value : pinned) value = 3;
  WARPFIT_CUDA(launch_scale(pinned.get(), 10, 2, nullptr));
  WARPFIT_CUDA(cudaDeviceSynchronize());
  EXPECT_EQ(pinned[9], 6.0f);
}

TEST_F(MemoryUse, FreedMemoryIsNotUsed) {
  float* gone = nullptr;
  WARPFIT_CUDA(cudaMalloc(&gone, 40));
  WARPFIT_CUDA(cudaFree(gone));
  float host[10] = {};
  EXPECT_THAT(failure_of([&] { static_cast<void>(launch_scale(gone, 10, 2, nullptr)); }),
              HasSubstr("kernel scale: argument 0 points in device memory that was freed"));
  EXPECT_THAT(failure_of([&] { static_cast<void>(cudaMemcpy(gone, host, 40, cudaMemcpyHostToDevice)); }),
              HasSubstr("freed"));
  EXPECT_THAT(failure_of([&] { static_cast<void>(cudaMemset(gone, 0, 40)); }), HasSubstr("freed"));
  EXPECT_THAT(failure_of([&] { static_cast<void>(cudaFree(gone)); }), HasSubstr("freed before"));
}

TEST_F(MemoryUse, OnlyAllocationsAreFreed) {
  const DeviceArray<float> device(10);
  const PinnedArray<float> pinned(10);
  float host = 0;
  EXPECT_EQ(cudaFree(device.get() + 1), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(&host), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(pinned.get()), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFreeHost(device.get()), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(nullptr), cudaSuccess);
  EXPECT_EQ(cudaFreeHost(nullptr), cudaSuccess);
}

TEST_F(MemoryUse, CopiesGoWhereTheySayAndFit) {
  const DeviceArray<float> device(10);
  const PinnedArray<float> pinned(10);
  float host[20] = {};
  EXPECT_EQ(cudaMemcpy(host, device.get(), 40, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(device.get(), host, 40, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(pinned.get(), host, 40, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(device.get(), host, 44, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(device.get() + 1, host, 40, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(host, pinned.get() + 5, 40, cudaMemcpyHostToHost), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemset(device.get(), 0, 41), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemset(host, 0, 4), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(device.get(), host, 40, static_cast<cudaMemcpyKind>(9)),
            cudaErrorInvalidMemcpyDirection);
  EXPECT_EQ(cudaMemcpy(device.get(), host, 40, cudaMemcpyDefault), cudaSuccess);
  EXPECT_EQ(cudaMemcpy(device.get() + 9, host, 4, cudaMemcpyHostToDevice), cudaSuccess);
  EXPECT_EQ(cudaMemcpy(device.get() + 10, host, 0, cudaMemcpyHostToDevice), cudaSuccess);
}

TEST_F(MemoryUse, IsCounted) {
  const DeviceArray<float> device(std::vector<float>(10, 1.0f));
  static_cast<void>(device.values());
  const Statistics now = statistics();
  EXPECT_EQ(now.copies, 2);
  EXPECT_EQ(now.bytes_to_device, 40);
  EXPECT_EQ(now.bytes_to_host, 40);
  EXPECT_EQ(now.live_allocations, 1);
}

}  // namespace
}  // namespace warpfit::emulation::test
