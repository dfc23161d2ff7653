// A network as a list of TOML tables, one for each layer. The keys are the names of the layer's arguments in
// --network, and a residual block has a list of its own:
//
//   [[layer]]
//   type = "conv"
//   out_channels = 32
//   kernel_size = 3
//   padding = 1
//   [[layer]]
//   type = "residual"
//     [[layer.layer]]
//     type = "relu"
#pragma once

#include <string>
#include <string_view>

#include "host/cli/toml.hpp"

namespace warpfit {

inline constexpr std::string_view kLayerKey = "layer";

/// The layers as text for parse_layers(), such as
/// "conv(out_channels=32,kernel_size=3,padding=1),residual(relu)". `layers` is the value of the key `layer`;
/// `path` is for messages. Errors: UsageError naming file, line and layer if parse_layers() would refuse the
/// text, or if a table or a value is none that a layer can have.
std::string text_of_layers(const toml::node& layers, const std::string& path);

}  // namespace warpfit
