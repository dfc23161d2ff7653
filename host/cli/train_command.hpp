// `warpfit train`
#pragma once

#include "host/cli/options.hpp"

namespace warpfit {

/// Opens data and device, makes the network and trains it. Errors: any of host/base/error.hpp.
void run_train(const TrainCommand& command);

}  // namespace warpfit
