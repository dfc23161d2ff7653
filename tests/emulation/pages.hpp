// Pages from the system that are mapped invisibly to ThreadSanitizer, which would count its intercepted
// mmap() as a write by the caller.
#pragma once

#include <cstddef>

namespace warpfit::emulation {

inline constexpr std::size_t kPage = 4096;

/// `bytes` of new pages, accessible or not; null on failure.
char* map_pages(std::size_t bytes, bool accessible);
void unmap_pages(char* start, std::size_t bytes);
/// Makes pages accessible or inaccessible.
void protect_pages(char* start, std::size_t bytes, bool accessible);

inline std::size_t round_up(std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; }

}  // namespace warpfit::emulation
