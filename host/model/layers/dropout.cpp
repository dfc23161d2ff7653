#include "host/model/layers/dropout.hpp"

#include <fmt/core.h>

namespace warpfit {

Shape output_shape(const Dropout&, const Shape& in) { return in; }

std::vector<TensorSpec> tensors(const Dropout&, const Shape&) { return {}; }

std::optional<Operation> operation_of(const Dropout& layer, const Shape&) {
  if (layer.p == 0) return std::nullopt;
  return DropoutOperation{{.p = layer.p}};
}

// Dropout works in place: the values and their gradients are read and written.
Cost cost(const Dropout&, const Shape& in, std::int64_t rows) {
  const Work work{.flop = 0,
                  .bytes = 2 * sizeof(float) * static_cast<double>(rows) * static_cast<double>(in.size())};
  return {.forward = work, .input_gradient = work, .parameter_gradients = {}};
}

std::string text_of(const Dropout& layer) { return fmt::format("dropout({})", layer.p); }

}  // namespace warpfit
