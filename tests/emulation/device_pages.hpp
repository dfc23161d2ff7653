// The pages of one allocation of device memory. The allocation ends as close to an inaccessible page as its
// alignment of 256 bytes allows; the rest of its pages is a margin, which is poisoned for AddressSanitizer
// and checked for changes in other builds.
#pragma once

#include <cstddef>

namespace warpfit::emulation {

class DevicePages {
 public:
  /// Filled with NaN. start() is null if no memory is left.
  explicit DevicePages(std::size_t bytes);
  ~DevicePages();
  DevicePages(const DevicePages&) = delete;
  DevicePages& operator=(const DevicePages&) = delete;

  char* start() const { return start_; }
  /// True if the address is in the allocation, its margins or the inaccessible pages around it.
  bool contains(const void* address) const;
  /// The first byte of the margins that was overwritten, or null. Used in builds without AddressSanitizer,
  /// which detects the access immediately.
  const char* first_overwritten_byte() const;

  /// Makes the memory accessible to the program's code, or inaccessible.
  void open(bool accessible) const;
  /// Makes the memory permanently inaccessible; its addresses are not reused while this object exists.
  void retire() const;

 private:
  char* first_page() const;
  char* last_page_end() const;

  std::size_t bytes_;
  std::size_t mapped_ = 0;
  char* mapping_ = nullptr;
  char* start_ = nullptr;
};

}  // namespace warpfit::emulation
