// How long a block of a persistent kernel waits for the others, and what is known afterwards. Without a
// bound, a block that never arrives would keep the GPU busy for ever.
#pragma once

#include <string>

#include "cuda/runtime/memory.hpp"

namespace warpfit {

constexpr int kBarrierTimeoutSeconds = 2;  ///< a step takes microseconds

/// What a kernel is told.
struct BarrierTimeout {
  long long nanoseconds = kBarrierTimeoutSeconds * 1'000'000'000LL;
  unsigned long long* note =
      nullptr;  ///< barrier_timeout_note(), in page-locked memory; null if there is none
};

/// Block `block` waited too long at the barrier with this number, counted from 0 in the launch.
constexpr unsigned long long barrier_timeout_note(unsigned block, unsigned barrier) {
  return 1ULL << 63U | static_cast<unsigned long long>(barrier & 0x7FFF'FFFFU) << 32U | block;
}

/// The memory of a note. The kernel's end with an error makes all device memory unreadable, but not this.
class BarrierTimeoutNote {
 public:
  BarrierTimeoutNote();
  BarrierTimeoutNote(const BarrierTimeoutNote&) = delete;
  BarrierTimeoutNote& operator=(const BarrierTimeoutNote&) = delete;
  ~BarrierTimeoutNote();

  /// Null if the system refuses page-locked memory: the kernel then ends without a note.
  [[nodiscard]] unsigned long long* data() const;

 private:
  HostMemory memory_{sizeof(unsigned long long)};
};

/// What the notes that exist say, for the message of the CUDA error that follows; empty if no wait timed out.
/// Any call of CUDA in any thread may be the one that returns that error.
std::string barrier_timeout_text();

}  // namespace warpfit
