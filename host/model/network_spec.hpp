// The shape of a multilayer perceptron: Linear, ReLU, ..., Linear.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace warpfit {

struct NetworkSpec {
  std::vector<std::int64_t> widths;  ///< inputs, hidden layers, classes

  [[nodiscard]] std::int64_t inputs() const { return widths.front(); }
  [[nodiscard]] std::int64_t classes() const { return widths.back(); }
  [[nodiscard]] std::size_t layers() const { return widths.size() - 1; }
  /// Weights and biases of all layers.
  [[nodiscard]] std::int64_t parameters() const;
  /// "784-512-512-10"
  [[nodiscard]] std::string text() const;
};

/// Reads widths joined by '-', at least two, each 1 to 2^24, the last at least 2; UsageError naming the wrong
/// part.
NetworkSpec parse_network(std::string_view text);

/// The tutorial's two hidden layers of 512 between the data's own sizes.
NetworkSpec default_network(std::int64_t inputs, std::int64_t classes);

}  // namespace warpfit
