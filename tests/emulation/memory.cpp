// Device memory lies in pages of its own, as near to a closed page's border as its alignment of 256 bytes
// allows; the rest of its pages is a margin, poisoned for AddressSanitizer, and otherwise watched.
#include "tests/emulation/memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <utility>

#include "tests/emulation/emulation.hpp"
#include "tests/emulation/sanitizer.hpp"
#include "tests/emulation/shared_memory.hpp"

namespace warpfit::emulation {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kAlignment = 256;  // of cudaMalloc
constexpr std::size_t kWatched = 64;     // bytes of margin looked at on each side
constexpr unsigned char kMargin = 0xa5;

std::size_t round_up(std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; }

void protect(const Allocation& allocation, bool accessible) {
  mprotect(allocation.mapping + kPage, allocation.mapped - 2 * kPage,
           accessible ? PROT_READ | PROT_WRITE : PROT_NONE);
}

struct Margins {
  char* before;  // [before, start)
  char* after;   // [end, after)
};

Margins margins(const Allocation& allocation) {
  return {allocation.mapping + kPage, allocation.mapping + allocation.mapped - kPage};
}

}  // namespace

Memory::~Memory() {
  for (const auto& [start, allocation] : allocations_) destroy(allocation);
  for (const auto& [start, allocation] : freed_) destroy(allocation);
}

void Memory::destroy(const Allocation& allocation) {
  if (allocation.kind == MemoryKind::kPinned) {
    std::free(allocation.start);
    return;
  }
  sanitizer::unpoison(allocation.mapping, allocation.mapped);
  munmap(allocation.mapping, allocation.mapped);
}

void* Memory::allocate_device(std::size_t bytes) {
  bytes = std::max<std::size_t>(bytes, 1);
  if (bytes > config().device_memory - std::min(used_, config().device_memory)) return nullptr;
  Allocation allocation;
  allocation.bytes = bytes;
  allocation.mapped = round_up(bytes, kPage) + 2 * kPage;
  void* mapping =
      mmap(nullptr, allocation.mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  allocation.mapping = static_cast<char*>(mapping);
  protect(allocation, true);
  const Margins around = margins(allocation);
  allocation.start = around.after - round_up(bytes, kAlignment);
  char* end = allocation.start + bytes;
  std::fill(around.before, allocation.start, static_cast<char>(kMargin));
  std::fill(end, around.after, static_cast<char>(kMargin));
  fill_with_nan(allocation.start, bytes);
  sanitizer::poison(around.before, static_cast<std::size_t>(allocation.start - around.before));
  sanitizer::poison(end, static_cast<std::size_t>(around.after - end));
  used_ += bytes;
  peak_ = std::max(peak_, used_);
  allocations_[allocation.start] = allocation;
  if (config().trap_host_access) protect(allocation, false);
  return allocation.start;
}

void* Memory::allocate_pinned(std::size_t bytes, unsigned flags) {
  bytes = std::max<std::size_t>(bytes, 1);
  if (bytes > config().pinned_memory - std::min(pinned_, config().pinned_memory)) return nullptr;
  void* start = nullptr;
  if (posix_memalign(&start, kPage, bytes) != 0) return nullptr;
  fill_with_nan(start, bytes);
  pinned_ += bytes;
  Allocation allocation;
  allocation.start = static_cast<char*>(start);
  allocation.bytes = bytes;
  allocation.kind = MemoryKind::kPinned;
  allocation.flags = flags;
  allocations_[allocation.start] = allocation;
  return start;
}

bool Memory::release(void* start, MemoryKind kind) {
  const auto found = allocations_.find(static_cast<const char*>(start));
  if (found == allocations_.end() || found->second.kind != kind) return false;
  const Allocation allocation = found->second;
  allocations_.erase(found);
  if (kind == MemoryKind::kPinned) {
    pinned_ -= allocation.bytes;
    destroy(allocation);
    return true;
  }
  used_ -= allocation.bytes;
  madvise(allocation.mapping, allocation.mapped, MADV_DONTNEED);
  mprotect(allocation.mapping, allocation.mapped, PROT_NONE);
  sanitizer::poison(allocation.start, allocation.bytes);
  freed_[allocation.start] = allocation;
  return true;
}

const Allocation* Memory::find(const void* address, bool end_too) const {
  const auto* place = static_cast<const char*>(address);
  auto after = allocations_.upper_bound(place);
  if (after == allocations_.begin()) return nullptr;
  const Allocation& allocation = std::prev(after)->second;
  const auto distance = static_cast<std::size_t>(place - allocation.start);
  return distance < allocation.bytes + (end_too ? 1 : 0) ? &allocation : nullptr;
}

MemoryKind Memory::kind(const void* address) const {
  const Allocation* allocation = find(address);
  return allocation != nullptr ? allocation->kind : MemoryKind::kPageable;
}

bool Memory::holds(const void* start, std::size_t bytes) const {
  const Allocation* allocation = find(start, bytes == 0);
  return allocation != nullptr &&
         bytes <= allocation->bytes -
                      static_cast<std::size_t>(static_cast<const char*>(start) - allocation->start);
}

bool Memory::freed(const void* address) const {
  const auto* place = static_cast<const char*>(address);
  auto after = freed_.upper_bound(place);
  if (after == freed_.begin()) return false;
  const Allocation& allocation = std::prev(after)->second;
  return static_cast<std::size_t>(place - allocation.start) < allocation.bytes;
}

std::string Memory::describe(const void* address) const {
  const auto* place = static_cast<const char*>(address);
  if (freed(place)) return "in device memory that was freed";
  for (const auto& [start, allocation] : allocations_) {
    const bool device = allocation.kind == MemoryKind::kDevice;
    const char* first = device ? allocation.mapping : allocation.start;
    const char* last = device ? allocation.mapping + allocation.mapped : allocation.start + allocation.bytes;
    if (place < first || place >= last) continue;
    const std::string whole =
        std::to_string(allocation.bytes) + " bytes of " + (device ? "device" : "pinned") + " memory";
    if (place < start) return std::to_string(start - place) + " bytes before " + whole;
    const auto inside = static_cast<std::size_t>(place - start);
    if (inside < allocation.bytes) return "byte " + std::to_string(inside) + " of " + whole;
    return std::to_string(inside - allocation.bytes) + " bytes past the end of " + whole;
  }
  return kNowhere;
}

void Memory::check_margins() const {
  if (sanitizer::address()) return;
  static const std::vector<char> untouched(kWatched, static_cast<char>(kMargin));
  for (const auto& [start, allocation] : allocations_) {
    if (allocation.kind != MemoryKind::kDevice) continue;
    const Margins around = margins(allocation);
    const char* end = allocation.start + allocation.bytes;
    const std::pair<const char*, const char*> sides[] = {
        {std::max<const char*>(around.before, allocation.start - kWatched), allocation.start},
        {end, std::min<const char*>(around.after, end + kWatched)}};
    for (const auto& [first, last] : sides) {
      const auto bytes = static_cast<std::size_t>(last - first);
      if (bytes == 0 || std::memcmp(first, untouched.data(), bytes) == 0) continue;
      fail("a write %s", describe(std::mismatch(first, last, untouched.data()).first).c_str());
    }
  }
}

void Memory::open(bool accessible) {
  for (const auto& [start, allocation] : allocations_) {
    if (allocation.kind == MemoryKind::kDevice) protect(allocation, accessible);
  }
}

}  // namespace warpfit::emulation
