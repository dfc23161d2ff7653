// The value of --network, which may be the name of a TOML file with the tables of host/cli/layer_tables.hpp.
#pragma once

#include <string>
#include <string_view>

namespace warpfit {

/// The network as text: the layers in the file if `given` ends in ".toml", else `given`. Errors: IoError;
/// UsageError naming file and line.
std::string network_text(std::string_view given);

}  // namespace warpfit
