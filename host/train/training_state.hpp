// The complete state of a run, from which it resumes with bit-identical results.
#pragma once

#include <cstdint>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/base/torch_random.hpp"
#include "host/optim/optimizer_state.hpp"
#include "host/train/best.hpp"

namespace warpfit {

struct TrainingState {
  std::int64_t epoch = 1;       ///< current epoch, from 1
  std::int64_t batch = 0;       ///< next batch of the epoch
  std::int64_t step = 0;        ///< number of steps trained
  TorchGenerator generator{0};  ///< before the order of this epoch was drawn
  Metrics metrics;              ///< of this epoch so far
  Best best;
  std::vector<float> parameters;  ///< in the order of the network's layout, like the moments of the optimizer
  OptimizerState::Memory optimizer;
  // In the same order; empty if the options do not need them.
  std::vector<float> gradient_sum = {};  ///< of the batches since the last update
  std::vector<float> averages = {};      ///< of the parameters
  std::int64_t averaged_models = 0;
  std::vector<float> network = {};  ///< the network's state, laid out as it is
};

}  // namespace warpfit
