#include "host/model/network_plan.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

constexpr std::size_t kAlignment = 128 / sizeof(float);
constexpr std::size_t kMaxParameters = std::size_t{1} << 40;

std::size_t size_of(const std::vector<std::int64_t>& shape) {
  return static_cast<std::size_t>(
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()));
}

// Appends a layer; `module` is its number in nn.Sequential.
void add(NetworkPlan& plan, const Layer& layer, std::size_t module) {
  Node node{.layer = layer,
            .in = plan.nodes.empty() ? plan.sample : plan.nodes.back().out,
            .out = {},
            .first_tensor = plan.tensors.size(),
            .first_state = plan.state.size()};
  std::visit(
      [&](const auto& kind) {
        node.out = output_shape(kind, node.in);
        for (auto& spec : tensors(kind, node.in)) {
          const auto size = size_of(spec.shape);
          const bool trained = is_trained(spec.role);
          auto& floats = trained ? plan.floats : plan.state_floats;
          (trained ? plan.tensors : plan.state)
              .push_back({fmt::format("{}.{}", module, spec.name), std::move(spec.shape), spec.initializer,
                          spec.role, floats, size});
          if (size > kMaxParameters - std::min(floats, kMaxParameters))
            throw UsageError(
                fmt::format("more than {} parameters in the layers up to this one", kMaxParameters));
          floats += (size + kAlignment - 1) / kAlignment * kAlignment;
        }
      },
      layer);
  node.tensors = plan.tensors.size() - node.first_tensor;
  node.states = plan.state.size() - node.first_state;
  plan.nodes.push_back(std::move(node));
}

}  // namespace

std::int64_t NetworkPlan::parameters() const {
  return std::accumulate(
      tensors.begin(), tensors.end(), std::int64_t{0},
      [](std::int64_t sum, const auto& tensor) { return sum + static_cast<std::int64_t>(tensor.size); });
}

// Images are flattened before the first linear layer. If that is the first layer, the network corresponds to
// PyTorch's tutorial, whose nn.Flatten is outside of the nn.Sequential, so that its modules are counted
// without it. In other networks the nn.Sequential contains the nn.Flatten and counts it. An image of 1x1 is
// an image as well: nn.Linear does not accept the output of a pooling layer.
NetworkPlan plan_network(const NetworkSpec& network, const Shape& sample) {
  NetworkPlan plan;
  plan.sample = sample;
  bool is_image = !sample.is_vector();
  std::size_t module = 0;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    try {
      const auto& layer = network.layers[i];
      const bool is_linear = std::holds_alternative<Linear>(layer);
      if (is_image && is_linear) {
        add(plan, Flatten{}, module);
        if (i > 0) ++module;
      }
      if (!is_image && std::holds_alternative<Pool>(layer))
        throw UsageError(fmt::format("its input is a vector of {}, expected images",
                                     plan.nodes.empty() ? sample.size() : plan.nodes.back().out.size()));
      is_image = is_image && !is_linear && !std::holds_alternative<Flatten>(layer);
      add(plan, layer, module++);
    } catch (const UsageError& error) {
      const auto text = std::visit([](const auto& layer) { return text_of(layer); }, network.layers[i]);
      throw UsageError(
          fmt::format("network {}: layer {}, {}: {}", network.text(), i + 1, text, error.what()));
    }
  }
  if (plan.nodes.empty()) throw UsageError("network: expected at least one layer");
  if (!plan.nodes.back().out.is_vector() || plan.classes() < 2) {
    throw UsageError(fmt::format(
        "network {}: its output is {}, expected a vector of at least 2 values, one for each class",
        network.text(), text_of(plan.nodes.back().out)));
  }
  return plan;
}

NetworkPlan plan_network(const NetworkSpec& network) {
  if (!network.inputs) throw InternalError("a network without a number of inputs");
  return plan_network(network, {*network.inputs, 1, 1});
}

}  // namespace warpfit
