// The options that select parameters of the network by patterns of their names.
#pragma once

#include <string>
#include <vector>

#include "host/cli/options.hpp"

namespace warpfit {

/// The option --freeze.
Option freeze_option(std::vector<std::string>& patterns);

}  // namespace warpfit
