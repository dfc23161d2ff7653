#include "host/model/layers/activation.hpp"

namespace warpfit {

Shape output_shape(const Activation&, const Shape& in) { return in; }

std::vector<TensorSpec> tensors(const Activation&, const Shape&) { return {}; }

std::optional<Operation> operation_of(const Activation& layer, const Shape&) {
  return ActivationOperation{layer};
}

// Its output is read once more, to see where the gradient passes.
Cost cost(const Activation&, const Shape& in, std::int64_t rows) {
  Cost cost;
  cost.input_gradient.bytes = sizeof(float) * static_cast<double>(rows) * static_cast<double>(in.size());
  return cost;
}

std::string text_of(const Activation&) { return "relu"; }

}  // namespace warpfit
