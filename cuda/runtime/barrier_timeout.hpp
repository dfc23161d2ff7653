// The notes that kernels leave before they end for a timeout at a barrier.
#pragma once

#include <string>

#include "cuda/device/barrier_timeout.hpp"
#include "cuda/runtime/memory.hpp"

namespace warpfit {

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
