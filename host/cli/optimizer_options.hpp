// The flags of the optimizers, and what they come to. Names and defaults are PyTorch's.
#pragma once

#include <optional>
#include <string_view>

#include "host/cli/commands.hpp"

namespace warpfit {

/// Their rows of the table, and those of the bounds that gradients are kept to.
Options optimizer_options(OptimizerFlags& flags, Clipping& clipping);

/// The row that chooses one.
Option optimizer_option(OptimizerFlags& flags);
/// "adam"
std::string_view optimizer_name(OptimizerKind kind);

/// Errors: UsageError for a flag that the optimizer does not have, and where PyTorch refuses the combination.
/// With muon it is the optimizer of what Muon does not update.
Optimizer optimizer_of(const OptimizerFlags& flags);
/// Nothing with another optimizer.
std::optional<Muon> muon_of(const OptimizerFlags& flags);
double learning_rate_of(const OptimizerFlags& flags);

}  // namespace warpfit
