// The engine that runs batches: the layers engine runs each operation separately, the fused engine runs whole
// batches in one kernel.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "host/train/step.hpp"

namespace warpfit {

enum class Engine {
  kAuto,    ///< fused if supported, otherwise layers
  kLayers,  ///< each operation separately
  kFused    ///< many batches at a time, from the forward pass to the update
};

/// The name of the engine to use: "fused" if `wanted` allows it and `compile` succeeds, otherwise "layers"
/// with the reason from `compile`. Errors: UsageError with that reason if only the fused engine was allowed.
std::string chosen_engine(Engine wanted, const std::function<bool(std::string& reason)>& compile);

/// Plans of a training step by this rule and of an evaluation step, for Backend::compile. StepRunner adds the
/// metrics.
StepPlan training_plan(const Network& network, const Workspace& workspace, const TrainingRule& rule);
StepPlan evaluation_plan(const Network& network, const Workspace& workspace, const Loss& loss);

}  // namespace warpfit
