#include "host/cpu/headroom.hpp"

#include <fmt/core.h>
#include <sys/mman.h>

#include "host/base/error.hpp"

namespace warpfit::cpu {

// Measured with oneDNN 2.6.3: 6 MiB for the first weight gradient, up to 2 MiB for a product of a new shape,
// and threads generate their kernels at the same time. The limit counts address space, so the memory is not
// touched.
void check_headroom() {
  constexpr std::size_t kMegabytes = 48;
  constexpr std::size_t kBytes = kMegabytes << 20;
  void* probe =
      mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (probe == MAP_FAILED) {
    throw OutOfMemory(fmt::format(
        "the kernels of oneDNN: less than {} MiB of memory are left; raise the limit (ulimit -v), or "
        "try a smaller --batch-size or --network",
        kMegabytes));
  }
  munmap(probe, kBytes);
}

}  // namespace warpfit::cpu
