// --parallel, --batch-size-per-rank and --reduce.
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

Option parallel_option(ParallelMode& mode);
Options parallel_options(TrainCommand& command);

}  // namespace warpfit
