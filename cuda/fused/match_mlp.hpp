// Determines which steps the persistent trainer can run, and the reason why it cannot run others.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/backend/backend.hpp"

namespace warpfit::cuda {

/// A multilayer perceptron: linear layers with ReLU between them.
struct Mlp {
  std::vector<std::int64_t> widths;             ///< inputs, hidden layers, classes
  std::vector<std::ptrdiff_t> weights, biases;  ///< offsets of each layer's parameters
};

/// The network of a step; or nothing, and the reason, if the network or the step is not supported.
std::optional<Mlp> match_mlp(const StepPlan& plan, Precision precision, std::string& reason);

}  // namespace warpfit::cuda
