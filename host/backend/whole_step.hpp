// A step of a multilayer perceptron as one thing, for backends that run many batches of it in one go.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "host/backend/linear.hpp"
#include "host/backend/metrics.hpp"
#include "host/backend/optimizer.hpp"

namespace warpfit {

/// Forward, softmax cross-entropy and, with an optimizer, backward and update. The loss is added to
/// `metrics`. All views are of the backend's memory.
struct WholeStep {
  std::vector<LinearViews> layers;  ///< among the parameters
  Vector parameters;
  std::int64_t most_rows = 0;  ///< of a batch
  float label_smoothing = 0;
  std::optional<Optimizer> optimizer;
  std::array<Vector, kMostMoments> moments;  ///< as in OptimizerViews
  OptimizerProgress* progress = nullptr;     ///< likewise; not needed by plain SGD
  Metrics* metrics = nullptr;
};

}  // namespace warpfit
