// The 2-norm of all gradients, in a backend's memory.
#pragma once

#include <array>
#include <cstddef>

namespace warpfit {

struct GradientNorm {
  float norm = 0;  ///< of the newest step, before any clipping

  // For the backend's internal use: partial sums of squares, added in order; number of blocks that have
  // finished.
  static constexpr std::size_t kParts = 512;
  std::array<double, kParts> parts{};
  unsigned arrived = 0;
};

}  // namespace warpfit
