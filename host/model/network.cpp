#include "host/model/network.hpp"

#include <utility>

namespace warpfit {

std::vector<Linear> layers_of(const ParameterLayout& layout, Vector flat) {
  std::vector<Linear> layers;
  for (const auto& layer : layout.layers()) {
    const Matrix w{flat.data() + layer.weight, layer.outputs, layer.inputs};
    layers.push_back({w, flat.subspan(layer.bias, layer.bias_size()), Activation::kRelu});
  }
  layers.back().activation = Activation::kNone;
  return layers;
}

Network::Network(Backend& backend, NetworkSpec spec, ParameterLayout layout,
                 std::span<const float> parameters)
    : spec_(std::move(spec)),
      layout_(std::move(layout)),
      parameters_(backend, parameters),
      layers_(layers_of(layout_, parameters_.view())) {}

}  // namespace warpfit
