#include "host/model/parameter_layout.hpp"

#include <utility>

namespace warpfit {

ParameterLayout::ParameterLayout(const NetworkSpec& spec) {
  constexpr std::size_t kAlignment = 128 / sizeof(float);
  const auto place = [this](std::size_t floats) {
    return std::exchange(size_, (size_ + floats + kAlignment - 1) / kAlignment * kAlignment);
  };
  for (std::size_t i = 0; i < spec.layers(); ++i) {
    LinearLayout layer{spec.widths[i], spec.widths[i + 1]};
    layer.weight = place(layer.weight_size());
    layer.bias = place(layer.bias_size());
    layers_.push_back(layer);
  }
}

}  // namespace warpfit
