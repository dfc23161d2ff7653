// Maps pages by direct system calls. They are unmapped with the library's munmap(), which makes
// ThreadSanitizer discard its state for them.
#include "tests/emulation/pages.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace warpfit::emulation {

char* map_pages(std::size_t bytes, bool accessible) {
  const long start = syscall(SYS_mmap, nullptr, bytes, accessible ? PROT_READ | PROT_WRITE : PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return start == -1 ? nullptr : reinterpret_cast<char*>(start);
}

void unmap_pages(char* start, std::size_t bytes) { munmap(start, bytes); }

void protect_pages(char* start, std::size_t bytes, bool accessible) {
  mprotect(start, bytes, accessible ? PROT_READ | PROT_WRITE : PROT_NONE);
}

}  // namespace warpfit::emulation
