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
  /// Values of a sample, if the text states them. Such a network has only linear layers and ReLU.
  std::optional<std::int64_t> inputs;

  /// The text for parse_network(): "784-512-512-10" or "linear(512),relu,linear(10)".
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool has_dropout() const;
  friend bool operator==(const NetworkSpec&, const NetworkSpec&) = default;
};

/// Reads widths joined by '-', at least two, each 1 to 2^24, the last at least 2; or layers joined by commas,
/// as parse_layers() does. Errors: UsageError naming the invalid part.
NetworkSpec parse_network(std::string_view text);

/// Whether the text is a list of layers instead of a list of widths.
[[nodiscard]] bool is_layer_list(std::string_view text);

/// Linear, ReLU, ..., Linear with these widths, of which there must be at least two.
NetworkSpec multilayer_perceptron(const std::vector<std::int64_t>& widths);

/// PyTorch's tutorial network: two hidden layers of 512 between the data's inputs and classes.
NetworkSpec default_network(std::int64_t inputs, std::int64_t classes);

/// Inserts dropout(p) after each activation; returns the network unchanged if p is 0. Errors: UsageError if
/// it already has dropout layers.
NetworkSpec with_dropout(NetworkSpec network, float p);

}  // namespace warpfit
