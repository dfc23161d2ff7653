// `warpfit devices`
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// Prints the devices that this build can use on this machine; having no GPU is not an error.
void run(const DevicesCommand& command);

}  // namespace warpfit
