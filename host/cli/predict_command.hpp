// `warpfit predict`
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// Prints what a model takes samples for. Errors: any of host/base/error.hpp.
void run(const PredictCommand& command);

}  // namespace warpfit
