// `warpfit train` and `warpfit resume`
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// Opens the data and the device, creates the network and trains it. Errors: any of host/base/error.hpp.
void run(const TrainCommand& command);

/// Resumes a run. Errors: likewise.
void run(const ResumeCommand& command);

}  // namespace warpfit
