// `warpfit devices`
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// Prints what this build and this machine can compute on; that there is no GPU is no error.
void run(const DevicesCommand& command);

}  // namespace warpfit
