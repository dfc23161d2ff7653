#include "host/model/initializer.hpp"

#include <cmath>
#include <span>

namespace warpfit {

std::vector<float> initial_parameters(const ParameterLayout& layout, TorchGenerator& generator) {
  std::vector<float> values(layout.size(), 0.0F);
  const std::span<float> all(values);
  for (const auto& layer : layout.layers()) {
    const double root = std::sqrt(static_cast<double>(layer.inputs));
    // PyTorch's own steps, in double: gain sqrt(2 / (1 + a^2)) with a = sqrt(5), standard deviation, bound.
    const auto weight_bound = static_cast<float>(std::sqrt(3.0) * (std::sqrt(2.0 / 6.0) / root));
    const auto bias_bound = static_cast<float>(1.0 / root);
    generator.fill_uniform(all.subspan(layer.weight, layer.weight_size()), -weight_bound, weight_bound);
    generator.fill_uniform(all.subspan(layer.bias, layer.bias_size()), -bias_bound, bias_bound);
  }
  return values;
}

}  // namespace warpfit
