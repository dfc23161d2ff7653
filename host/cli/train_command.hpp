// `warpfit train` and `warpfit resume`
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// Opens data and device, makes the network and trains it. Errors: any of host/base/error.hpp.
void run(const TrainCommand& command);

/// Goes on with a run. Errors: likewise.
void run(const ResumeCommand& command);

}  // namespace warpfit
