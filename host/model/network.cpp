#include "host/model/network.hpp"

#include <utility>

namespace warpfit {

Network::Network(Backend& backend, NetworkSpec spec, const ParameterLayout& layout,
                 std::span<const float> parameters)
    : spec_(std::move(spec)), parameters_(backend, parameters) {
  const auto all = parameters_.view();
  for (const auto& layer : layout.layers()) {
    const Matrix w{all.data() + layer.weight, layer.outputs, layer.inputs};
    layers_.push_back({w, all.subspan(layer.bias, layer.bias_size()), Activation::kRelu});
  }
  layers_.back().activation = Activation::kNone;
}

}  // namespace warpfit
