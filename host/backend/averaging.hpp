// Averages of a model's parameters over a run, as torch.optim.swa_utils.AveragedModel keeps them.
#pragma once

#include <cstdint>

namespace warpfit {

/// Stored in the backend's memory.
struct AverageProgress {
  std::int64_t models = 0;  ///< models averaged so far
  unsigned arrived = 0;     ///< for the backend's internal use
};

}  // namespace warpfit
