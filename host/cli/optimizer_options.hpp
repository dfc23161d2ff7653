// The flags of the optimizers, and conversion to an optimizer. Names and defaults are PyTorch's.
#pragma once

#include <optional>
#include <string_view>

#include "host/cli/commands.hpp"

namespace warpfit {

/// The options of all optimizers and of gradient clipping.
Options optimizer_options(OptimizerFlags& flags, Clipping& clipping);

/// The option --optimizer.
Option optimizer_option(OptimizerFlags& flags);
/// "adam"
std::string_view optimizer_name(OptimizerKind kind);

/// Errors: UsageError if a flag is not valid for the optimizer, or if PyTorch refuses the combination. With
/// muon, the result is the optimizer of the parameters that Muon does not update.
Optimizer optimizer_of(const OptimizerFlags& flags);
/// Nothing if another optimizer was chosen.
std::optional<Muon> muon_of(const OptimizerFlags& flags);
double learning_rate_of(const OptimizerFlags& flags);

}  // namespace warpfit
