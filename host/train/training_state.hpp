// All that a run needs to go on as if it had never stopped.
#pragma once

#include <cstdint>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/base/torch_random.hpp"
#include "host/optim/optimizer_state.hpp"

namespace warpfit {

/// The best epoch so far, by what TrainOptions::best_by says.
struct Best {
  std::int64_t epoch = 0;   ///< from 1; 0 where none was evaluated
  double value = 0;         ///< its loss or accuracy
  std::int64_t waited = 0;  ///< epochs since, or since one better by the least improvement that counts
  double reference = 0;     ///< value of the epoch that `waited` counts from
};

struct TrainingState {
  std::int64_t epoch = 1;       ///< that is trained next, from 1
  std::int64_t batch = 0;       ///< of it, that is trained next
  std::int64_t step = 0;        ///< steps trained
  TorchGenerator generator{0};  ///< as it was before this epoch's order was drawn
  Metrics metrics;              ///< of this epoch so far
  Best best;
  std::vector<float> parameters;  ///< in the order of the network's layout, as the optimizer's moments
  OptimizerState::Memory optimizer;
};

}  // namespace warpfit
