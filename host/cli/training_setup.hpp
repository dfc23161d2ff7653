// From what was asked for to what a run is assembled from.
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// The options with optimizer, schedule and device resolved. Errors: UsageError for combinations that make no
/// sense; IoError where a path is relative, but there is no working folder.
RunOptions run_options_of(const TrainCommand& command);

/// The value of --names, or its default, which depends on --network.
std::string names_of(const TrainCommand& command);

}  // namespace warpfit
