// All that a run needs to go on as if it had never stopped.
#pragma once

#include <cstdint>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/base/torch_random.hpp"
#include "host/optim/optimizer_state.hpp"
#include "host/train/best.hpp"

namespace warpfit {

struct TrainingState {
  std::int64_t epoch = 1;       ///< that is trained next, from 1
  std::int64_t batch = 0;       ///< of it, that is trained next
  std::int64_t step = 0;        ///< steps trained
  TorchGenerator generator{0};  ///< as it was before this epoch's order was drawn
  Metrics metrics;              ///< of this epoch so far
  Best best;
  std::vector<float> parameters;  ///< in the order of the network's layout, as the optimizer's moments
  OptimizerState::Memory optimizer;
  // Likewise, and empty where the options ask for none.
  std::vector<float> gradient_sum = {};  ///< of the batches since the last update
  std::vector<float> averages = {};      ///< of the parameters
  std::int64_t averaged_models = 0;
  std::vector<float> network = {};  ///< the network's state, laid out as it is
};

}  // namespace warpfit
