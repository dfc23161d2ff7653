// Converts the options of the train command to those of a run.
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// The options with optimizer, schedule and device converted. Errors: UsageError for invalid combinations;
/// IoError if a path is relative and the working directory cannot be determined.
RunOptions run_options_of(const TrainCommand& command);

/// The value of --names, or its default, which depends on --network.
std::string names_of(const TrainCommand& command);

}  // namespace warpfit
