// Runs training from its options to its end, from the beginning or from a checkpoint.
#pragma once

#include <optional>

#include "host/run/ranks.hpp"
#include "host/run/run_options.hpp"
#include "host/train/run_folder.hpp"

namespace warpfit {

/// Trains a new run: opens the data and the device, creates the network, trains and tests it, and writes the
/// outputs that `options` requests. Errors: Interrupted if a signal ended it; any of host/base/error.hpp. All
/// ranks call it with the same options.
void train(RunOptions options, Ranks& ranks);

/// Resumes the run in `folder` from `checkpoint`, or starts it from the beginning if there is no checkpoint.
/// All ranks call it with the same checkpoint, and only the first one with the folder.
/// Errors: ModelError if the checkpoint is of another network, optimizer or data set; those of train().
void resume_training(RunOptions options, Ranks& ranks, RunFolder* folder,
                     std::optional<Checkpoint> checkpoint);

}  // namespace warpfit
