// Device and pinned memory by address: which allocation a pointer points into, and how many bytes follow.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "tests/emulation/device_pages.hpp"

namespace warpfit::emulation {

enum class MemoryKind { kPageable, kDevice, kPinned };

struct Allocation {
  char* start = nullptr;
  std::size_t bytes = 0;
  MemoryKind kind = MemoryKind::kDevice;
  std::shared_ptr<const DevicePages> pages;  ///< for device memory

  bool contains(const void* address) const;
};

class Memory {
 public:
  Memory() = default;
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// A new allocation of at least one byte, filled with NaN; null if the device, or the host, is out of
  /// memory.
  void* allocate_device(std::size_t bytes);
  void* allocate_pinned(std::size_t bytes);
  /// Returns false if `start` is not the start of a live allocation of that kind.
  bool release(void* start, MemoryKind kind);

  /// The live allocation that contains `address` (or ends at it, if `end_too`), or null.
  const Allocation* find(const void* address, bool end_too = false) const;
  MemoryKind kind(const void* address) const;
  /// True if all of [start, start + bytes) lies in one live allocation.
  bool holds(const void* start, std::size_t bytes) const;
  /// True if `address` lies in device memory that was freed.
  bool freed(const void* address) const;
  /// A description for messages, such as "17 bytes past the end of 400 bytes of device memory".
  std::string describe(const void* address) const;
  static constexpr const char* kNowhere = "in no memory of CUDA's";

  /// Called after a kernel: fails if bytes next to a device allocation were overwritten.
  void check_margins() const;
  /// Makes device memory accessible to the program's code, or inaccessible (Config::trap_host_access).
  void open(bool accessible) const;

  std::size_t used() const { return used_; }
  std::size_t peak() const { return peak_; }
  std::size_t count() const { return allocations_.size(); }

 private:
  std::map<const char*, Allocation> allocations_;
  std::map<const char*, Allocation>
      freed_;  ///< device memory, inaccessible, so that its addresses are not reused
  std::size_t used_ = 0;
  std::size_t peak_ = 0;
  std::size_t pinned_ = 0;
};

}  // namespace warpfit::emulation
