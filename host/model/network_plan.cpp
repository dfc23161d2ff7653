#include "host/model/network_plan.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

constexpr std::size_t kAlignment = 128 / sizeof(float);
constexpr std::size_t kMaxParameters = std::size_t{1} << 40;

// The number of elements, or a number above kMaxParameters if there are more.
std::size_t size_of(const std::vector<std::int64_t>& shape) {
  std::size_t size = 1;
  for (const auto extent : shape)
    size = std::min(size * static_cast<std::size_t>(extent), 2 * kMaxParameters);
  return size;
}

// Plans one layer after the other.
class Planner {
 public:
  explicit Planner(const Shape& sample) : is_image_(!sample.is_vector()) { plan_.sample = sample; }

  // Images are flattened before the first linear layer. If that is the first layer, the network corresponds
  // to PyTorch's tutorial, whose nn.Flatten is outside of the nn.Sequential, so that its modules are counted
  // without it. In other networks the nn.Sequential contains the nn.Flatten and counts it. An image of 1x1 is
  // an image as well: nn.Linear does not accept the output of a pooling layer.
  void add(const Layer& layer) {
    const bool is_linear = std::holds_alternative<Linear>(layer);
    if (is_image_ && is_linear) {
      const bool is_first = plan_.nodes.empty();
      append(Flatten{});
      if (!is_first) ++module();
    }
    const bool needs_image = std::holds_alternative<Pool>(layer) || std::holds_alternative<Conv>(layer);
    if (!is_image_ && needs_image)
      throw UsageError(fmt::format("its input is a vector of {}, expected images", shape().size()));
    is_image_ = is_image_ && !is_linear && !std::holds_alternative<Flatten>(layer);
    const auto* const conv = std::get_if<Conv>(&layer);
    if (conv != nullptr && conv->init == ConvInit::kWhiten && !plan_.nodes.empty())
      throw UsageError("init=whiten is for the first layer of a network only");
    if (std::holds_alternative<ResidualEnd>(layer)) end_block();
    append(layer);
    if (std::holds_alternative<ResidualBegin>(layer)) {
      blocks_.push_back({fmt::format("{}{}.", blocks_.back().prefix, module()), 0, shape(), is_image_});
    } else {
      ++module();
    }
  }

  NetworkPlan take() {
    if (blocks_.size() != 1) throw InternalError("a residual block without an end");
    return std::move(plan_);
  }

 private:
  // The network or a residual block within it, which is an nn.Sequential.
  struct Block {
    std::string prefix;      // of the names of its tensors
    std::size_t module = 0;  // number of the next layer
    Shape in = {};
    bool is_image = false;  // of `in`
  };

  [[nodiscard]] std::size_t& module() { return blocks_.back().module; }
  // The shape of the next layer's input.
  [[nodiscard]] const Shape& shape() const {
    return plan_.nodes.empty() ? plan_.sample : plan_.nodes.back().out;
  }

  void end_block() {
    if (blocks_.size() < 2) throw InternalError("the end of a residual block without a beginning");
    const auto& block = blocks_.back();
    if (shape() != block.in || is_image_ != block.is_image) {
      throw UsageError(fmt::format("its layers turn {}{} into {}{}, expected the shape of their input",
                                   text_of(block.in), block.is_image ? "" : " (a vector)", text_of(shape()),
                                   is_image_ ? "" : " (a vector)"));
    }
    blocks_.pop_back();
  }

  void append(const Layer& layer) {
    Node node{.layer = layer,
              .in = shape(),
              .out = {},
              .first_tensor = plan_.tensors.size(),
              .first_state = plan_.state.size()};
    std::visit(
        [&](const auto& kind) {
          node.out = output_shape(kind, node.in);
          for (auto& spec : tensors(kind, node.in)) add_tensor(std::move(spec));
        },
        layer);
    node.tensors = plan_.tensors.size() - node.first_tensor;
    node.states = plan_.state.size() - node.first_state;
    plan_.nodes.push_back(std::move(node));
  }

  void add_tensor(TensorSpec spec) {
    const auto size = size_of(spec.shape);
    const bool trained = is_trained(spec.role);
    auto& floats = trained ? plan_.floats : plan_.state_floats;
    (trained ? plan_.tensors : plan_.state)
        .push_back({fmt::format("{}{}.{}", blocks_.back().prefix, module(), spec.name), std::move(spec.shape),
                    spec.initializer, spec.role, floats, size});
    if (size > kMaxParameters - std::min(floats, kMaxParameters))
      throw UsageError(fmt::format("more than {} parameters in the layers up to this one", kMaxParameters));
    floats += (size + kAlignment - 1) / kAlignment * kAlignment;
  }

  NetworkPlan plan_;
  bool is_image_;  // whether the next layer's input is an image
  std::vector<Block> blocks_{Block{}};
};

// "layer 3, conv(8,3)", or "layer 2, residual: layer 1, conv(8,3)" for a layer of a residual block.
std::string place_of(std::span<const int> numbers, const Layer& layer) {
  std::string place;
  for (const int number : numbers.first(numbers.size() - 1))
    place += fmt::format("layer {}, residual: ", number);
  const bool is_block =
      std::holds_alternative<ResidualBegin>(layer) || std::holds_alternative<ResidualEnd>(layer);
  const auto text = std::visit([](const auto& kind) { return text_of(kind); }, layer);
  return place + fmt::format("layer {}, {}", numbers.back(), is_block ? "residual" : text);
}

}  // namespace

std::int64_t NetworkPlan::parameters() const {
  return std::accumulate(
      tensors.begin(), tensors.end(), std::int64_t{0},
      [](std::int64_t sum, const auto& tensor) { return sum + static_cast<std::int64_t>(tensor.size); });
}

NetworkPlan plan_network(const NetworkSpec& network, const Shape& sample) {
  Planner planner(sample);
  // The number of the current layer in the network, then in the residual block that it belongs to, and so on.
  std::vector<int> numbers{0};
  for (const auto& layer : network.layers) {
    if (std::holds_alternative<ResidualEnd>(layer)) {
      numbers.pop_back();
    } else {
      ++numbers.back();
    }
    try {
      planner.add(layer);
    } catch (const UsageError& error) {
      throw UsageError(
          fmt::format("network {}: {}: {}", network.text(), place_of(numbers, layer), error.what()));
    }
    if (std::holds_alternative<ResidualBegin>(layer)) numbers.push_back(0);
  }
  const auto plan = planner.take();
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
