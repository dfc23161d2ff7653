#include "host/model/initializer.hpp"

#include <span>

namespace warpfit {
namespace {

void fill(const UniformInitializer& uniform, std::span<float> values, TorchGenerator& generator) {
  generator.fill_uniform(values, -uniform.bound, uniform.bound);
}

}  // namespace

std::vector<float> initial_parameters(const NetworkPlan& plan, TorchGenerator& generator) {
  std::vector<float> values(plan.floats, 0.0F);
  for (const auto& tensor : plan.tensors) {
    std::visit([&](const auto& kind) { fill(kind, tensor.in(std::span(values)), generator); },
               tensor.initializer);
  }
  return values;
}

}  // namespace warpfit
