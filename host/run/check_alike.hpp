// Compares what the processes of a run were started with, and what they have found.
#pragma once

#include <optional>

#include "host/run/ranks.hpp"
#include "host/run/run_options.hpp"
#include "host/run/training_files.hpp"
#include "host/train/checkpoint.hpp"

namespace warpfit {

/// Collective; `keeps`: whether the run has a folder. Errors: UsageError, on all ranks, if options, data,
/// network or checkpoint of one of them are others than those of rank 0.
void check_alike(Ranks& ranks, const RunOptions& options, bool keeps, const TrainingFiles& files,
                 const std::optional<Checkpoint>& checkpoint);

}  // namespace warpfit
