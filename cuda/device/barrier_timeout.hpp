// How long a block of a persistent kernel waits for the others, and the note that it leaves where that is too
// long. Without a bound, a block that never arrives would keep the GPU busy for ever.
#pragma once

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

}  // namespace warpfit
