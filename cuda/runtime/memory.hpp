// RAII owners of device memory and of page-locked host memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace warpfit {

/// Device memory, aligned to 256 bytes.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  /// Errors: OutOfMemory.
  explicit DeviceMemory(std::size_t bytes);
  [[nodiscard]] std::uint8_t* data() const { return memory_.get(); }
  [[nodiscard]] bool empty() const { return memory_ == nullptr; }
  /// Releases ownership; the memory must be freed with free_device_memory.
  [[nodiscard]] void* release() { return memory_.release(); }

 private:
  struct Free {
    void operator()(std::uint8_t* memory) const noexcept;
  };
  std::unique_ptr<std::uint8_t, Free> memory_;
};

void free_device_memory(void* memory) noexcept;

/// Page-locked host memory, from and to which the device copies without staging. If its pages cannot be
/// locked, it is pageable memory, which works but is slower.
class HostMemory {
 public:
  explicit HostMemory(std::size_t bytes);
  [[nodiscard]] std::span<std::uint8_t> bytes() const { return bytes_; }
  [[nodiscard]] bool pinned() const { return pinned_ != nullptr; }

 private:
  struct Free {
    void operator()(std::uint8_t* memory) const noexcept;
  };
  std::unique_ptr<std::uint8_t, Free> pinned_;
  std::vector<std::uint8_t> pageable_;
  std::span<std::uint8_t> bytes_;
};

}  // namespace warpfit
