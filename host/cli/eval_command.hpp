// `warpfit eval`
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// Evaluates a model on labelled samples and prints the results. Errors: any of host/base/error.hpp.
void run(const EvalCommand& command);

}  // namespace warpfit
