// A step of a multilayer perceptron as one thing, for backends that run many batches of it in one go.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "host/backend/optimizer.hpp"
#include "host/backend/views.hpp"

namespace warpfit {

struct Metrics;

enum class Activation { kNone, kRelu };

/// One linear layer and what follows it.
struct Linear {
  Matrix w;  ///< (outputs, inputs)
  Vector b;  ///< (outputs)
  Activation activation = Activation::kNone;
};

/// Forward, softmax cross-entropy and, with an optimizer, backward and update. The loss is added to
/// `metrics`. All views are of the backend's memory.
struct WholeStep {
  std::vector<Linear> layers;  ///< among the parameters
  Vector parameters;
  std::int64_t most_rows = 0;  ///< of a batch
  float label_smoothing = 0;
  std::optional<Optimizer> optimizer;
  std::array<Vector, kMostMoments> moments;  ///< as in OptimizerViews
  OptimizerProgress* progress = nullptr;     ///< likewise; not needed by plain SGD
  Metrics* metrics = nullptr;
};

}  // namespace warpfit
