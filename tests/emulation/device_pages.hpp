// The pages of one allocation of device memory: it lies as near to a closed page as its alignment of 256
// bytes allows; the rest of its own pages is a margin, poisoned for AddressSanitizer, and otherwise watched.
#pragma once

#include <cstddef>

namespace warpfit::emulation {

class DevicePages {
 public:
  /// Filled with NaN. start() is null if there is no memory left.
  explicit DevicePages(std::size_t bytes);
  ~DevicePages();
  DevicePages(const DevicePages&) = delete;
  DevicePages& operator=(const DevicePages&) = delete;

  char* start() const { return start_; }
  /// True for an address in the allocation, its margins or the closed pages round it.
  bool contains(const void* address) const;
  /// The first byte of the margins that was written to, or null (plain builds; AddressSanitizer sees it at
  /// once).
  const char* touched() const;

  /// Lets the program's code access the memory, or not.
  void open(bool accessible) const;
  /// Closed for good; the addresses stay unused as long as this lives.
  void give_up() const;

 private:
  char* first_page() const;
  char* last_page_end() const;

  std::size_t bytes_;
  std::size_t mapped_ = 0;
  char* mapping_ = nullptr;
  char* start_ = nullptr;
};

}  // namespace warpfit::emulation
