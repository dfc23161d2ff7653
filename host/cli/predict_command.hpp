// `warpfit predict`
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// Prints the classes that a model predicts for samples. Errors: any of host/base/error.hpp.
void run(const PredictCommand& command);

}  // namespace warpfit
