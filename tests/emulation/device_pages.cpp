// The pages of device memory, and how accesses outside an allocation are detected.
#include "tests/emulation/device_pages.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "tests/emulation/pages.hpp"
#include "tests/emulation/sanitizer.hpp"
#include "tests/emulation/shared_memory.hpp"

namespace warpfit::emulation {
namespace {

constexpr std::size_t kAlignment = 256;  // as for cudaMalloc
constexpr std::size_t kGuard = std::size_t{4}
                               << 20;  // inaccessible bytes on each side, which catch wild indices
constexpr std::size_t kWatched = 64;   // bytes of margin checked on each side
constexpr char kMargin = static_cast<char>(0xa5);

}  // namespace

DevicePages::DevicePages(std::size_t bytes)
    : bytes_(bytes), mapped_(round_up(bytes, kPage) + 2 * kGuard), mapping_(map_pages(mapped_, false)) {
  if (mapping_ == nullptr) return;
  open(true);
  start_ = last_page_end() - round_up(bytes, kAlignment);
  std::fill(first_page(), start_, kMargin);
  std::fill(start_ + bytes, last_page_end(), kMargin);
  fill_with_nan(start_, bytes);
  sanitizer::poison(first_page(), static_cast<std::size_t>(start_ - first_page()));
  sanitizer::poison(start_ + bytes, static_cast<std::size_t>(last_page_end() - start_) - bytes);
}

DevicePages::~DevicePages() {
  if (mapping_ == nullptr) return;
  sanitizer::unpoison(first_page(), static_cast<std::size_t>(last_page_end() - first_page()));
  unmap_pages(mapping_, mapped_);
}

char* DevicePages::first_page() const { return mapping_ + kGuard; }
char* DevicePages::last_page_end() const { return mapping_ + mapped_ - kGuard; }

bool DevicePages::contains(const void* address) const {
  return address >= mapping_ && address < mapping_ + mapped_;
}

const char* DevicePages::first_overwritten_byte() const {
  if (sanitizer::address()) return nullptr;
  static const std::vector<char> untouched(kWatched, kMargin);
  const char* end = start_ + bytes_;
  const std::pair<const char*, const char*> sides[] = {
      {std::max<const char*>(first_page(), start_ - kWatched), start_},
      {end, std::min<const char*>(last_page_end(), end + kWatched)}};
  for (const auto& [first, last] : sides) {
    const auto size = static_cast<std::size_t>(last - first);
    if (size > 0 && std::memcmp(first, untouched.data(), size) != 0) {
      return std::mismatch(first, last, untouched.data()).first;
    }
  }
  return nullptr;
}

void DevicePages::open(bool accessible) const {
  protect_pages(first_page(), static_cast<std::size_t>(last_page_end() - first_page()), accessible);
}

void DevicePages::retire() const {
  madvise(first_page(), static_cast<std::size_t>(last_page_end() - first_page()), MADV_DONTNEED);
  open(false);
  sanitizer::poison(start_, bytes_);
}

}  // namespace warpfit::emulation
