#include "host/model/network.hpp"

#include <utility>

namespace warpfit {

std::vector<LinearViews> linear_layers(const NetworkPlan& plan, Vector flat) {
  std::vector<LinearViews> layers;
  for (const auto& node : plan.nodes) {
    if (std::holds_alternative<Activation>(node.layer)) layers.back().activation = ActivationKind::kRelu;
    if (!std::holds_alternative<Linear>(node.layer)) continue;
    const auto* const own = &plan.tensors[node.first_tensor];
    layers.push_back({{own[0].in(flat).data(), node.out.size(), node.in.size()}, own[1].in(flat)});
  }
  return layers;
}

Network::Network(Backend& backend, NetworkPlan plan, std::span<const float> parameters)
    : plan_(std::move(plan)),
      parameters_(backend, parameters),
      layers_(linear_layers(plan_, parameters_.view())) {}

}  // namespace warpfit
