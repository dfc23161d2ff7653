// A run of training from its options to its end: new, or from a checkpoint.
#pragma once

#include <optional>

#include "host/cli/commands.hpp"
#include "host/train/run_folder.hpp"

namespace warpfit {

/// Goes on with the run in `folder` from `checkpoint`, or begins it anew where there is none yet.
/// Errors: ModelError where the checkpoint is of another network, optimizer or data set; Interrupted where a
/// signal ended it; any of host/base/error.hpp.
void resume_training(const TrainCommand& command, RunFolder& folder, std::optional<Checkpoint> checkpoint);

/// Trains a new run. Errors: likewise.
void train(const TrainCommand& command);

}  // namespace warpfit
