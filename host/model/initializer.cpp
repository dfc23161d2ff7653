#include "host/model/initializer.hpp"

#include <algorithm>
#include <span>

namespace warpfit {
namespace {

using Extents = std::span<const std::int64_t>;

void fill(const UniformInitializer& uniform, Extents, std::span<float> values, TorchGenerator& generator) {
  generator.fill_uniform(values, -uniform.bound, uniform.bound);
}

void fill(const ConstantInitializer& constant, Extents, std::span<float> values, TorchGenerator&) {
  std::ranges::fill(values, constant.value);
}

void fill(const WhiteningInitializer& whitening, Extents shape, std::span<float> values,
          TorchGenerator& generator) {
  fill(whitening.uniform, shape, values, generator);
}

void fill(const DiracInitializer& dirac, Extents shape, std::span<float> values, TorchGenerator& generator) {
  fill(dirac.uniform, shape, values, generator);
  const auto window = static_cast<std::size_t>(shape[2] * shape[3]);
  const auto center = static_cast<std::size_t>(shape[2] / 2 * shape[3] + shape[3] / 2);
  const auto channels = static_cast<std::size_t>(shape[1]);
  const auto filters = static_cast<std::size_t>(std::min(shape[0], shape[1]));
  std::ranges::fill(values.first(filters * channels * window), 0.0F);
  for (std::size_t i = 0; i < filters; ++i) values[(i * channels + i) * window + center] = 1;
}

std::vector<float> filled(std::span<const PlannedTensor> tensors, std::size_t floats,
                          TorchGenerator& generator) {
  std::vector<float> values(floats, 0.0F);
  for (const auto& tensor : tensors) {
    std::visit([&](const auto& kind) { fill(kind, tensor.shape, tensor.in(std::span(values)), generator); },
               tensor.initializer);
  }
  return values;
}

}  // namespace

std::vector<float> initial_parameters(const NetworkPlan& plan, TorchGenerator& generator) {
  return filled(plan.tensors, plan.floats, generator);
}

std::vector<float> initial_state(const NetworkPlan& plan) {
  TorchGenerator none(0);  // state is constant: nothing is drawn
  return filled(plan.state, plan.state_floats, none);
}

}  // namespace warpfit
