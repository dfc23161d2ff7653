// A block's shared memory: each array is allocated on first use, filled with NaN, and ends at its exact size.
#pragma once

#include <cstddef>
#include <vector>

namespace warpfit::emulation {

class SharedMemory {
 public:
  SharedMemory() = default;
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  /// Starts a new block without the previous one's arrays. `limit` applies to the sum of static and dynamic
  /// bytes.
  void begin(std::size_t dynamic_bytes, std::size_t limit);
  void* array(std::size_t number, std::size_t bytes, std::size_t alignment);
  void* dynamic() const { return dynamic_; }

 private:
  struct Array {
    char* memory = nullptr;  ///< start of the allocation; the array begins `skipped` bytes later
    std::size_t bytes = 0;
    std::size_t skipped = 0;
    std::size_t allocated = 0;
    bool fresh = false;
  };
  void* renew(Array& array, std::size_t bytes, std::size_t alignment);
  static void release(Array& array);

  std::vector<Array> arrays_;  ///< indexed by SharedArray::number
  Array dynamic_array_;
  void* dynamic_ = nullptr;
  std::size_t used_ = 0;
  std::size_t limit_ = 0;
};

/// Fills with bytes of 0xff: a NaN as float or double, -1 as an integer. Uses plain stores, which no
/// sanitizer intercepts.
void fill_with_nan(void* start, std::size_t bytes);

}  // namespace warpfit::emulation
