#include "host/model/layers/activation.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

constexpr std::array<ActivationName, 7> kNames{{
    {"relu", "Relu", ActivationKind::kRelu},
    {"leakyrelu", "LeakyRelu", ActivationKind::kLeakyRelu, "negative_slope", 0.01F},
    {"elu", "Elu", ActivationKind::kElu, "alpha", 1},
    {"gelu", "Gelu", ActivationKind::kGelu},
    {"silu", "Silu", ActivationKind::kSilu},
    {"sigmoid", "Sigmoid", ActivationKind::kSigmoid},
    {"tanh", "Tanh", ActivationKind::kTanh},
}};

}  // namespace

std::span<const ActivationName> activation_names() { return kNames; }

const ActivationName& name_of(const Activation& layer) {
  const auto* const found = std::ranges::find(kNames, layer.kind, &ActivationName::kind);
  if (found == kNames.end()) throw InternalError("an activation without a name");
  return *found;
}

Shape output_shape(const Activation&, const Shape& in) { return in; }

std::vector<TensorSpec> tensors(const Activation&, const Shape&) { return {}; }

std::optional<Operation> operation_of(const Activation& layer, const Shape&) {
  return ActivationOperation{layer};
}

// ReLU's output is read once more in the backward pass, to see where the gradient passes.
Cost cost(const Activation& layer, const Shape& in, std::int64_t rows) {
  const double bytes = sizeof(float) * static_cast<double>(rows) * static_cast<double>(in.size());
  Cost cost;
  cost.input_gradient.bytes = bytes;
  if (layer.kind == ActivationKind::kRelu) return cost;
  cost.forward.bytes = 2 * bytes;
  cost.input_gradient.bytes = 3 * bytes;
  return cost;
}

std::string text_of(const Activation& layer) {
  const auto& name = name_of(layer);
  if (name.parameter.empty()) return std::string(name.text);
  return fmt::format("{}({})", name.text, layer.parameter);
}

}  // namespace warpfit
