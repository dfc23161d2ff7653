// The maximum time that a block of a persistent kernel waits for the other blocks, and the note that it
// writes when the time is exceeded. Without a limit, a block that never arrives would keep the GPU busy
// forever.
#pragma once

namespace warpfit {

constexpr int kBarrierTimeoutSeconds = 2;  ///< a step takes microseconds

/// The kernel's parameter.
struct BarrierTimeout {
  long long nanoseconds = kBarrierTimeoutSeconds * 1'000'000'000LL;
  unsigned long long* note =
      nullptr;  ///< barrier_timeout_note(), in page-locked memory; null if there is none
};

/// Block `block` waited too long at the barrier with this number, counted from 0 in the launch.
constexpr unsigned long long barrier_timeout_note(unsigned block, unsigned barrier) {
  return 1ULL << 63U | static_cast<unsigned long long>(barrier & 0x7FFF'FFFFU) << 32U | block;
}

}  // namespace warpfit
