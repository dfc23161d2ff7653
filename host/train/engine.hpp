// Which way a run's batches take through the backend: operation by operation, or whole.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "host/train/step.hpp"

namespace warpfit {

enum class Engine {
  kAuto,    ///< fused where that can be
  kLayers,  ///< a call of the backend for each operation
  kFused    ///< the backend runs many batches, forward to update, in one go
};

/// The engine that runs, as users read it: "fused" where it is wanted and `fuse` can have it, or else
/// "layers", with the reason that `fuse` gives. Errors: UsageError with the reason where nothing else would
/// do.
std::string chosen_engine(Engine wanted, const std::function<bool(std::string& reason)>& fuse);

/// The step that trains by this rule; nothing where it asks for what a whole step does not do, and then
/// `reason` says what.
std::optional<WholeStep> whole_training(const Network& network, const TrainingRule& rule,
                                        std::int64_t most_rows, std::string& reason);
/// The step that evaluates, for a loss that can be trained so.
WholeStep whole_evaluation(const Network& network, const Loss& loss, std::int64_t most_rows);

}  // namespace warpfit
