// The flags of the optimizers, and what they come to. Names and defaults are PyTorch's.
#pragma once

#include <vector>

#include "host/cli/options.hpp"

namespace warpfit {

/// Their rows of the table.
std::vector<Option> optimizer_options();

/// Errors: UsageError for a flag that the optimizer does not have, and where PyTorch refuses the combination.
Optimizer optimizer_of(const OptimizerFlags& flags);
double learning_rate_of(const OptimizerFlags& flags);

}  // namespace warpfit
