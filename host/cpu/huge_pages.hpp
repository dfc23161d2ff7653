// Memory in huge pages: products of large matrices in small pages spend much of their time on translating
// addresses.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>

namespace warpfit::cpu {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Allocates whole huge pages, since the system gives none for a part of one. Returns null if there is not
/// enough memory. Freed with std::free.
inline void* allocate_in_huge_pages(std::size_t bytes) {
  bytes = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  void* memory = nullptr;
  if (posix_memalign(&memory, kHugePage, bytes) != 0) return nullptr;
  madvise(memory, bytes, MADV_HUGEPAGE);  // a request: without huge pages, it fails
  return memory;
}

}  // namespace warpfit::cpu
