#include "host/model/layers/linear.hpp"

#include <fmt/core.h>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

constexpr double kFloat = sizeof(float);

// The work of a matrix product, which reads two matrices and writes the third.
Work product(double n, double k, double m) {
  return {.flop = 2 * n * k * m, .bytes = kFloat * (n * k + k * m + n * m)};
}

}  // namespace

Shape output_shape(const Linear& layer, const Shape& in) {
  if (!in.is_vector()) {
    throw UsageError(
        fmt::format("its input is {}, expected a vector; insert flatten before it", text_of(in)));
  }
  return {layer.outputs, 1, 1};
}

std::vector<TensorSpec> tensors(const Linear& layer, const Shape& in) {
  std::vector<TensorSpec> specs{{"weight", {layer.outputs, in.size()}, weight_initializer(in.size())}};
  if (layer.bias) specs.push_back({"bias", {layer.outputs}, bias_initializer(in.size()), TensorRole::kBias});
  return specs;
}

std::optional<Operation> operation_of(const Linear& layer, const Shape& in) {
  return LinearOperation{.inputs = in.size(), .outputs = layer.outputs, .bias = layer.bias};
}

Cost cost(const Linear& layer, const Shape& in, std::int64_t rows) {
  const auto n = static_cast<double>(rows);
  const auto k = static_cast<double>(in.size());
  const auto m = static_cast<double>(layer.outputs);
  Cost cost{product(n, k, m), product(n, m, k), product(k, n, m)};
  if (layer.bias) {
    cost.forward.bytes += kFloat * m;
    cost.parameter_gradients.bytes += kFloat * m;
  }
  return cost;
}

std::string text_of(const Linear& layer) {
  return fmt::format("linear({}{})", layer.outputs, layer.bias ? "" : ",bias=false");
}

}  // namespace warpfit
