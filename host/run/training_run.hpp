// A run of training from its options to its end: new, or from a checkpoint.
#pragma once

#include <optional>

#include "host/run/run_options.hpp"
#include "host/train/run_folder.hpp"

namespace warpfit {

/// Trains a new run: opens data and device, makes the network, trains and tests it, and writes what `options`
/// asks for. Errors: Interrupted where a signal ended it; any of host/base/error.hpp.
void train(const RunOptions& options);

/// Resumes the run in `folder` from `checkpoint`, or starts it from the beginning if there is none yet.
/// Errors: ModelError where the checkpoint is of another network, optimizer or data set; likewise.
void resume_training(const RunOptions& options, RunFolder& folder, std::optional<Checkpoint> checkpoint);

}  // namespace warpfit
