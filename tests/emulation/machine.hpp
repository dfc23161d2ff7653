// Support for the emulation's own tests: a new machine for each test, buffers on it, and the messages of
// failures.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "tests/emulation/emulation.hpp"
#include "tests/support/sanitizers.hpp"

namespace warpfit::emulation::test {

#define WARPFIT_CUDA(expression) ASSERT_EQ(expression, cudaSuccess)

/// A configuration in which failures throw.
inline Config in_mode(Config::Order order, Config::Streams streams) {
  Config config;
  config.order = order;
  config.streams = streams;
  config.on_failure = Config::OnFailure::kThrow;
  return config;
}

/// A machine with forward order and eager streams unless a test configures another.
class OnMachine : public testing::Test {
 protected:
  OnMachine() { configure(in_mode(Config::Order::kForward, Config::Streams::kEager)); }
  ~OnMachine() override { configure({}); }
};

/// Runs a test in each order of threads, with eager and with lazy streams.
class InEachMode : public testing::TestWithParam<std::tuple<Config::Order, Config::Streams>> {
 protected:
  InEachMode() { configure(in_mode(std::get<0>(GetParam()), std::get<1>(GetParam()))); }
  ~InEachMode() override { configure({}); }
};

inline std::string mode_name(const testing::TestParamInfo<std::tuple<Config::Order, Config::Streams>>& info) {
  static constexpr const char* kOrders[] = {"Forward", "Reverse", "Random"};
  static constexpr const char* kStreams[] = {"Eager", "Lazy"};
  return std::string(kOrders[static_cast<int>(std::get<0>(info.param))]) +
         kStreams[static_cast<int>(std::get<1>(info.param))];
}

inline auto each_mode() {
  return testing::Combine(
      testing::Values(Config::Order::kForward, Config::Order::kReverse, Config::Order::kRandom),
      testing::Values(Config::Streams::kEager, Config::Streams::kLazy));
}

/// Device memory of n elements. Reads and writes wait for all work queued before.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t size) : size_(size) {
    void* start = nullptr;
    EXPECT_EQ(cudaMalloc(&start, size * sizeof(T)), cudaSuccess);
    data_ = static_cast<T*>(start);
  }
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) { set(values); }
  DeviceArray(std::size_t size, T value) : DeviceArray(std::vector<T>(size, value)) {}
  ~DeviceArray() { static_cast<void>(cudaFree(data_)); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* get() const { return data_; }
  std::size_t bytes() const { return size_ * sizeof(T); }
  void set(const std::vector<T>& values) const {
    EXPECT_EQ(cudaMemcpy(data_, values.data(), bytes(), cudaMemcpyHostToDevice), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  }
  std::vector<T> values() const {
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    std::vector<T> host(size_);
    EXPECT_EQ(cudaMemcpy(host.data(), data_, bytes(), cudaMemcpyDeviceToHost), cudaSuccess);
    return host;
  }
  T value() const { return values().at(0); }

 private:
  T* data_ = nullptr;
  std::size_t size_;
};

/// Pinned memory of n elements.
template <class T>
class PinnedArray {
 public:
  explicit PinnedArray(std::size_t size) : size_(size) {
    void* start = nullptr;
    EXPECT_EQ(cudaMallocHost(&start, size * sizeof(T)), cudaSuccess);
    data_ = static_cast<T*>(start);
  }
  ~PinnedArray() { static_cast<void>(cudaFreeHost(data_)); }
  PinnedArray(const PinnedArray&) = delete;
  PinnedArray& operator=(const PinnedArray&) = delete;

  T* get() const { return data_; }
  T& operator[](std::size_t i) const { return data_[i]; }
  T* begin() const { return data_; }
  T* end() const { return data_ + size_; }
  std::size_t bytes() const { return size_ * sizeof(T); }

 private:
  T* data_ = nullptr;
  std::size_t size_;
};

/// A non-blocking stream: the default stream does not wait for it.
class TestStream {
 public:
  explicit TestStream(unsigned flags = cudaStreamNonBlocking) {
    EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, flags), cudaSuccess);
  }
  ~TestStream() { static_cast<void>(cudaStreamDestroy(stream_)); }
  TestStream(const TestStream&) = delete;
  TestStream& operator=(const TestStream&) = delete;
  operator cudaStream_t() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

class TestEvent {
 public:
  explicit TestEvent(unsigned flags = cudaEventDisableTiming) {
    EXPECT_EQ(cudaEventCreateWithFlags(&event_, flags), cudaSuccess);
  }
  ~TestEvent() { static_cast<void>(cudaEventDestroy(event_)); }
  TestEvent(const TestEvent&) = delete;
  TestEvent& operator=(const TestEvent&) = delete;
  operator cudaEvent_t() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

/// The message of the failure that `action` causes, or an empty string.
template <class F>
std::string failure_of(F action) {
  try {
    action();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "";
}

using warpfit::test::kAddressSanitizer;
using warpfit::test::kThreadSanitizer;

}  // namespace warpfit::emulation::test
