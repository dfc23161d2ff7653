// `warpfit inspect`
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// Prints the contents of the file. Errors: UsageError, IoError, DataError, ModelError.
void run(const InspectCommand& command);

}  // namespace warpfit
