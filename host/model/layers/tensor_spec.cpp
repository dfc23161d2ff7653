#include "host/model/layers/tensor_spec.hpp"

#include <cmath>

namespace warpfit {

// Computed in double in PyTorch's order: gain sqrt(2 / (1 + a^2)) with a = sqrt(5), standard deviation,
// bound.
UniformInitializer weight_initializer(std::int64_t inputs) {
  const double root = std::sqrt(static_cast<double>(inputs));
  return {static_cast<float>(std::sqrt(3.0) * (std::sqrt(2.0 / 6.0) / root))};
}

UniformInitializer bias_initializer(std::int64_t inputs) {
  return {static_cast<float>(1.0 / std::sqrt(static_cast<double>(inputs)))};
}

}  // namespace warpfit
