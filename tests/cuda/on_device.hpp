// Arrays in the memory of the GPU, for tests that call CUDA themselves.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cuda/runtime/copy.hpp"
#include "cuda/runtime/memory.hpp"
#include "cuda/runtime/stream.hpp"

namespace warpfit::test {

template <class T>
class OnDevice {
 public:
  OnDevice(Stream& stream, const std::vector<T>& values)
      : stream_(stream), size_(values.size()), memory_(size_ * sizeof(T)) {
    set(values);
  }
  OnDevice(Stream& stream, std::int64_t size)
      : OnDevice(stream, std::vector<T>(static_cast<std::size_t>(size))) {}

  [[nodiscard]] T* data() const { return reinterpret_cast<T*>(memory_.data()); }
  [[nodiscard]] std::span<T> view() const { return {data(), size_}; }
  void set(const std::vector<T>& values) const {
    copy_to_device(memory_.data(), values.data(), size_ * sizeof(T), stream_.get());
    stream_.synchronize();
  }
  [[nodiscard]] std::vector<T> values() const {
    std::vector<T> values(size_);
    copy_to_host(values.data(), data(), size_ * sizeof(T), stream_.get());
    stream_.synchronize();
    return values;
  }

 private:
  Stream& stream_;
  std::size_t size_;
  DeviceMemory memory_;
};

using Floats = OnDevice<float>;

}  // namespace warpfit::test
