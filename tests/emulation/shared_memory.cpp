// Shared memory. Under ThreadSanitizer each array of each block is a new mapping: a reused one would still
// carry the last block's accesses, which would be reported as races.
#include "tests/emulation/shared_memory.hpp"

#include <cstdint>
#include <cstdlib>

#include "tests/emulation/device_runtime.hpp"
#include "tests/emulation/pages.hpp"
#include "tests/emulation/sanitizer.hpp"

namespace warpfit::emulation {
namespace {
constexpr std::size_t kDynamicAlignment = 16;
}

void fill_with_nan(void* start, std::size_t bytes) {
  for (volatile char *at = static_cast<char*>(start), *end = at + bytes; at != end;) {
    if (end - at >= 8 && reinterpret_cast<std::uintptr_t>(at) % 8 == 0) {
      *reinterpret_cast<volatile std::uint64_t*>(at) = ~std::uint64_t{0};
      at += 8;
    } else {
      *at++ = static_cast<char>(0xff);
    }
  }
}

SharedMemory::~SharedMemory() {
  for (Array& array : arrays_) release(array);
  release(dynamic_array_);
}

void SharedMemory::begin(std::size_t dynamic_bytes, std::size_t limit) {
  for (Array& array : arrays_) array.fresh = false;
  used_ = dynamic_bytes;
  limit_ = limit;
  dynamic_ = dynamic_bytes > 0 ? renew(dynamic_array_, dynamic_bytes, kDynamicAlignment) : nullptr;
}

void* SharedMemory::array(std::size_t number, std::size_t bytes, std::size_t alignment) {
  if (number >= arrays_.size()) arrays_.resize(number + 1);
  Array& array = arrays_[number];
  if (!array.fresh) {
    used_ += bytes;
    if (used_ > limit_) fail("a block uses %zu bytes of shared memory; the launch allows %zu", used_, limit_);
    renew(array, bytes, alignment);
  }
  return array.memory + array.skipped;
}

void* SharedMemory::renew(Array& array, std::size_t bytes, std::size_t alignment) {
  // Not aligned more strictly than guaranteed, so that a float4 read of a float array fails here, as it could
  // on a GPU.
  const std::size_t skipped = alignment <= 8 ? 8 : alignment;
  if (sanitizer::thread() || array.bytes != bytes || array.skipped != skipped) {
    release(array);
    array.bytes = bytes;
    array.skipped = skipped;
    array.allocated = bytes + skipped;
    if (sanitizer::thread()) {
      array.allocated =
          round_up(array.allocated, kPage);  // ThreadSanitizer resets its state for whole pages only
      array.memory = map_pages(array.allocated, true);
    } else {
      void* memory = nullptr;
      static_cast<void>(posix_memalign(&memory, 128, array.allocated));
      array.memory = static_cast<char*>(memory);
    }
    if (array.memory == nullptr) fail("out of memory for a block's shared memory");
    sanitizer::poison(array.memory, skipped);
  }
  fill_with_nan(array.memory + skipped, bytes);
  array.fresh = true;
  return array.memory + skipped;
}

void SharedMemory::release(Array& array) {
  if (array.memory == nullptr) return;
  sanitizer::unpoison(array.memory, array.skipped);
  if (sanitizer::thread()) {
    unmap_pages(array.memory, array.allocated);
  } else {
    std::free(array.memory);
  }
  array.memory = nullptr;
}

}  // namespace warpfit::emulation
