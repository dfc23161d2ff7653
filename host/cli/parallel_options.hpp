// --parallel, --batch-size-per-rank, --reduce and --sync-batchnorm.
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

Option parallel_option(ParallelMode& mode);
Options parallel_options(TrainCommand& command);

}  // namespace warpfit
