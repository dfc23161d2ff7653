// Averages of a model's parameters over a run, as torch.optim.swa_utils.AveragedModel keeps them.
#pragma once

#include <cstdint>

namespace warpfit {

/// In the backend's memory.
struct AverageProgress {
  std::int64_t models = 0;  ///< that were averaged
  unsigned arrived = 0;     ///< the backend's own
};

}  // namespace warpfit
