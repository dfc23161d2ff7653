// Device and pinned memory, known by address: what a pointer points into, and how much of it is left.
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
  std::shared_ptr<const DevicePages> pages;  ///< of device memory

  bool contains(const void* address) const;
};

class Memory {
 public:
  Memory() = default;
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// New memory of at least one byte, filled with NaN; null if the device, or the host, has no more.
  void* allocate_device(std::size_t bytes);
  void* allocate_pinned(std::size_t bytes);
  /// False if `start` is not the start of a living allocation of that kind.
  bool release(void* start, MemoryKind kind);

  /// The living allocation that `address` lies in (its end included if `end_too`), or null.
  const Allocation* find(const void* address, bool end_too = false) const;
  MemoryKind kind(const void* address) const;
  /// True if all of [start, start + bytes) lies in one living allocation.
  bool holds(const void* start, std::size_t bytes) const;
  /// True if `address` lies in device memory that was freed.
  bool freed(const void* address) const;
  /// "17 bytes past the end of 400 bytes of device memory" and the like, for messages.
  std::string describe(const void* address) const;
  static constexpr const char* kNowhere = "in no memory of CUDA's";

  /// For a kernel that has run: fails if bytes beside a device allocation were written to.
  void check_margins() const;
  /// Opens device memory to the program's code, or closes it (Config::trap_host_access).
  void open(bool accessible) const;

  std::size_t used() const { return used_; }
  std::size_t peak() const { return peak_; }
  std::size_t count() const { return allocations_.size(); }

 private:
  std::map<const char*, Allocation> allocations_;
  std::map<const char*, Allocation> freed_;  ///< device memory, closed, so that its addresses stay unused
  std::size_t used_ = 0;
  std::size_t peak_ = 0;
  std::size_t pinned_ = 0;
};

}  // namespace warpfit::emulation
