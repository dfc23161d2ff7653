// Pages of memory from the system, unseen by the thread sanitizer: its mmap() would count as a write by
// whoever calls.
#pragma once

#include <cstddef>

namespace warpfit::emulation {

inline constexpr std::size_t kPage = 4096;

/// `bytes` of fresh pages, accessible or closed; null if there are none.
char* map_pages(std::size_t bytes, bool accessible);
void unmap_pages(char* start, std::size_t bytes);
/// Opens or closes pages.
void protect_pages(char* start, std::size_t bytes, bool accessible);

inline std::size_t round_up(std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; }

}  // namespace warpfit::emulation
