// A whole step, for backends that can run many batches of it in one go.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/backend/loss.hpp"
#include "host/backend/operation.hpp"
#include "host/backend/optimizer.hpp"

namespace warpfit {

class RecordedStep;

/// How far gradients may go; 0 for no bound.
struct Clipping {
  float norm = 0;   ///< of all together
  float value = 0;  ///< of each
};

/// How gradients change the parameters.
struct UpdateRule {
  Optimizer optimizer;
  Clipping clipping;
  bool updates_all_alike = true;            ///< or parameters in groups, with different optimizers
  bool sums_gradients = false;              ///< of several batches, before each update
  bool averages_parameters = false;         ///< after each update
  bool measures_norm = false;               ///< whether the gradients' norm is wanted after each step
  std::array<Vector, kMaxMoments> moments;  ///< as in OptimizerViews
  OptimizerProgress* progress = nullptr;    ///< likewise; not needed by plain SGD
};

/// Forward and loss, which is added to `metrics`, and with an update rule backward and update. All views are
/// of the backend's memory.
struct StepPlan {
  OperationPlan network;
  std::vector<Vector> tensors;  ///< of the network, all within `parameters`
  Vector parameters;
  std::int64_t max_batch_size = 0;
  Loss loss;
  std::optional<UpdateRule> update;
  Metrics* metrics = nullptr;
};

/// What a backend makes of a StepPlan: a step that runs all batches of a run in one go, or none and the
/// reason why the step has to be recorded operation by operation.
struct Compiled {
  std::unique_ptr<RecordedStep> step;
  std::string reason;
};

}  // namespace warpfit
