// The table of allocations.
#include "tests/emulation/memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "tests/emulation/emulation.hpp"
#include "tests/emulation/pages.hpp"
#include "tests/emulation/shared_memory.hpp"

namespace warpfit::emulation {
namespace {

/// The last entry that begins at or before `address`, or null.
const Allocation* before(const std::map<const char*, Allocation>& table, const void* address) {
  const auto after = table.upper_bound(static_cast<const char*>(address));
  return after == table.begin() ? nullptr : &std::prev(after)->second;
}

}  // namespace

bool Allocation::contains(const void* address) const { return address >= start && address < start + bytes; }

Memory::~Memory() {
  for (const auto& [start, allocation] : allocations_) {
    if (allocation.kind == MemoryKind::kPinned) std::free(allocation.start);
  }
}

void* Memory::allocate_device(std::size_t bytes) {
  bytes = std::max<std::size_t>(bytes, 1);
  if (bytes > config().device_memory - std::min(used_, config().device_memory)) return nullptr;
  auto pages = std::make_shared<const DevicePages>(bytes);
  char* start = pages->start();
  if (start == nullptr) return nullptr;
  if (config().trap_host_access) pages->open(false);
  used_ += bytes;
  peak_ = std::max(peak_, used_);
  allocations_[start] = {start, bytes, MemoryKind::kDevice, std::move(pages)};
  return start;
}

void* Memory::allocate_pinned(std::size_t bytes) {
  bytes = std::max<std::size_t>(bytes, 1);
  if (bytes > config().pinned_memory - std::min(pinned_, config().pinned_memory)) return nullptr;
  void* start = nullptr;
  if (posix_memalign(&start, kPage, bytes) != 0) return nullptr;
  fill_with_nan(start, bytes);
  pinned_ += bytes;
  auto* first = static_cast<char*>(start);
  allocations_[first] = {first, bytes, MemoryKind::kPinned, nullptr};
  return start;
}

bool Memory::release(void* start, MemoryKind kind) {
  const auto found = allocations_.find(static_cast<const char*>(start));
  if (found == allocations_.end() || found->second.kind != kind) return false;
  const Allocation allocation = found->second;
  allocations_.erase(found);
  if (kind == MemoryKind::kPinned) {
    pinned_ -= allocation.bytes;
    std::free(allocation.start);
    return true;
  }
  used_ -= allocation.bytes;
  allocation.pages->retire();
  freed_[allocation.start] = allocation;
  return true;
}

const Allocation* Memory::find(const void* address, bool end_too) const {
  const Allocation* allocation = before(allocations_, address);
  if (allocation == nullptr) return nullptr;
  const bool at_end = end_too && address == allocation->start + allocation->bytes;
  return at_end || allocation->contains(address) ? allocation : nullptr;
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
  const Allocation* allocation = before(freed_, address);
  return allocation != nullptr && allocation->contains(address);
}

std::string Memory::describe(const void* address) const {
  if (freed(address)) return "in device memory that was freed";
  const auto* byte = static_cast<const char*>(address);
  for (const auto& [start, allocation] : allocations_) {
    if (allocation.pages ? !allocation.pages->contains(byte) : !allocation.contains(byte)) continue;
    const std::string whole = std::to_string(allocation.bytes) + " bytes of " +
                              (allocation.pages ? "device" : "pinned") + " memory";
    if (byte < start) return std::to_string(start - byte) + " bytes before " + whole;
    const auto inside = static_cast<std::size_t>(byte - start);
    if (inside < allocation.bytes) return "byte " + std::to_string(inside) + " of " + whole;
    return std::to_string(inside - allocation.bytes) + " bytes past the end of " + whole;
  }
  return kNowhere;
}

void Memory::check_margins() const {
  for (const auto& [start, allocation] : allocations_) {
    const char* overwritten = allocation.pages ? allocation.pages->first_overwritten_byte() : nullptr;
    if (overwritten != nullptr) fail("a write %s", describe(overwritten).c_str());
  }
}

void Memory::open(bool accessible) const {
  for (const auto& [start, allocation] : allocations_) {
    if (allocation.pages) allocation.pages->open(accessible);
  }
}

}  // namespace warpfit::emulation
