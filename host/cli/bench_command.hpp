// `warpfit bench`
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// Measures training on the training set and prints the time of each phase. Errors: any of
/// host/base/error.hpp.
void run(const BenchCommand& command);

}  // namespace warpfit
