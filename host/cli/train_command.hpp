// `warpfit train`
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// Opens data and device, makes the network and trains it. Errors: any of host/base/error.hpp.
void run(const TrainCommand& command);

}  // namespace warpfit
