#include "host/model/initializer.hpp"

#include <algorithm>
#include <span>

namespace warpfit {
namespace {

void fill(const UniformInitializer& uniform, std::span<float> values, TorchGenerator& generator) {
  generator.fill_uniform(values, -uniform.bound, uniform.bound);
}

void fill(const ConstantInitializer& constant, std::span<float> values, TorchGenerator&) {
  std::ranges::fill(values, constant.value);
}

std::vector<float> filled(std::span<const PlannedTensor> tensors, std::size_t floats,
                          TorchGenerator& generator) {
  std::vector<float> values(floats, 0.0F);
  for (const auto& tensor : tensors) {
    std::visit([&](const auto& kind) { fill(kind, tensor.in(std::span(values)), generator); },
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
