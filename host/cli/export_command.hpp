// `warpfit export`
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// Writes a model in another format, or with other names. Errors: any of host/base/error.hpp.
void run(const ExportCommand& command);

}  // namespace warpfit
