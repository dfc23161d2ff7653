// The notes that kernels write before they end because of a timeout at a barrier.
#pragma once

#include <string>

#include "cuda/device/barrier_timeout.hpp"
#include "cuda/runtime/memory.hpp"

namespace warpfit {

/// The memory of a note. When a kernel ends with an error, device memory becomes unreadable, but this memory
/// does not.
class BarrierTimeoutNote {
 public:
  BarrierTimeoutNote();
  BarrierTimeoutNote(const BarrierTimeoutNote&) = delete;
  BarrierTimeoutNote& operator=(const BarrierTimeoutNote&) = delete;
  ~BarrierTimeoutNote();

  /// Null if page-locked memory cannot be allocated: the kernel then ends without a note.
  [[nodiscard]] unsigned long long* data() const;

 private:
  HostMemory memory_{sizeof(unsigned long long)};
};

/// The text of the existing notes, to be appended to the message of the CUDA error that follows; empty if no
/// wait timed out. Any CUDA call in any thread may return that error.
std::string barrier_timeout_text();

}  // namespace warpfit
