// The options that select parameters of the network by patterns of their names.
#pragma once

#include <string>
#include <vector>

#include "host/cli/options.hpp"
#include "host/train/train_options.hpp"

namespace warpfit {

/// The option --freeze.
Option freeze_option(std::vector<std::string>& patterns);
/// The option --lr-factor.
Option rate_factor_option(std::vector<RateFactor>& factors);

}  // namespace warpfit
