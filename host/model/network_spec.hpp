// A network as the user wrote it: a list of layers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/model/layers/layer.hpp"

namespace warpfit {

struct NetworkSpec {
  std::vector<Layer> layers;
  /// Values of a sample, if the text says how many. Such a network is one of linear layers and ReLU alone.
  std::optional<std::int64_t> inputs;

  /// As parse_network reads it: "784-512-512-10" or "linear(512),relu,linear(10)".
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool has_dropout() const;
  friend bool operator==(const NetworkSpec&, const NetworkSpec&) = default;
};

/// Reads widths joined by '-', at least two, each 1 to 2^24, the last at least 2; or layers joined by commas,
/// as parse_layers() does. Errors: UsageError naming the wrong part.
NetworkSpec parse_network(std::string_view text);

/// Whether the text is a list of layers, rather than one of widths.
[[nodiscard]] bool is_layer_list(std::string_view text);

/// Linear, ReLU, ..., Linear between layers of these widths, of which there are at least two.
NetworkSpec multilayer_perceptron(const std::vector<std::int64_t>& widths);

/// The tutorial's two hidden layers of 512 between the data's own sizes.
NetworkSpec default_network(std::int64_t inputs, std::int64_t classes);

/// The network with dropout(p) after each activation; itself if p is 0. Errors: UsageError if it has dropout
/// layers of its own.
NetworkSpec with_dropout(NetworkSpec network, float p);

}  // namespace warpfit
