// `warpfit eval`
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// Tests a model on labelled samples and prints what it found. Errors: any of host/base/error.hpp.
void run(const EvalCommand& command);

}  // namespace warpfit
