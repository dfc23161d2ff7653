// Which way a run's batches take through the backend: operation by operation, or whole.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "host/train/step.hpp"

namespace warpfit {

enum class Engine {
  kAuto,    ///< fused where that can be
  kLayers,  ///< each operation by itself
  kFused    ///< the backend runs many batches, forward to update, in one go
};

/// The name of the engine that runs: "fused" if `wanted` allows it and `compile` succeeds, else "layers" with
/// the reason that `compile` gives. Errors: UsageError with that reason if only the fused engine was wanted.
std::string chosen_engine(Engine wanted, const std::function<bool(std::string& reason)>& compile);

/// The step that trains by this rule, and the one that evaluates, for Backend::compile; StepRunner adds the
/// metrics.
StepPlan training_plan(const Network& network, const Workspace& workspace, const TrainingRule& rule);
StepPlan evaluation_plan(const Network& network, const Workspace& workspace, const Loss& loss);

}  // namespace warpfit
