// `warpfit export`
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// Converts a model to another format, or renames its tensors. Errors: any of host/base/error.hpp.
void run(const ExportCommand& command);

}  // namespace warpfit
