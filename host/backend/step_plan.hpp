// A whole training or evaluation step, for backends that can run many batches of it in one go.
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
#include "host/backend/pixel_transform.hpp"

namespace warpfit {

class RecordedStep;

/// Gradient clipping; 0: none.
struct Clipping {
  float norm = 0;   ///< maximum 2-norm of all gradients together
  float value = 0;  ///< maximum absolute value of each gradient
};

/// How the parameters are updated.
struct UpdateRule {
  Optimizer optimizer;
  Clipping clipping;
  bool updates_all_alike = true;            ///< false: frozen parameters, or groups of parameters
  bool sums_gradients = false;              ///< gradients of several batches are summed before each update
  bool averages_parameters = false;         ///< whether the parameters are averaged after each update
  bool measures_norm = false;               ///< whether the gradients' norm is needed after each step
  std::array<Vector, kMaxMoments> moments;  ///< as in OptimizerViews
  OptimizerProgress* progress = nullptr;    ///< likewise; not needed for plain SGD
};

/// The forward pass and the loss, which is added to `metrics`; with an update rule also the backward pass and
/// the update. All views refer to the backend's memory.
struct StepPlan {
  PixelTransform input;  ///< of the samples
  OperationPlan network;
  std::vector<Vector> tensors;  ///< tensors of the network, all within `parameters`
  Vector parameters;
  std::int64_t max_batch_size = 0;
  Loss loss;
  std::optional<UpdateRule> update;
  Metrics* metrics = nullptr;
};

/// The result of compiling a StepPlan: a step that runs all batches of a run in one go, or no step and the
/// reason why the operations have to be recorded one by one.
struct Compiled {
  std::unique_ptr<RecordedStep> step;
  std::string reason;
};

}  // namespace warpfit
