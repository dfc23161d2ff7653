// A residual block, x + layers(x), as two layers of a flat list: one before its layers and one after them. In
// PyTorch it is an nn.Sequential whose forward() adds the input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/backend/operation.hpp"
#include "host/model/layers/cost.hpp"
#include "host/model/layers/shape.hpp"
#include "host/model/layers/tensor_spec.hpp"

namespace warpfit {

struct ResidualBegin {
  friend bool operator==(const ResidualBegin&, const ResidualBegin&) = default;
};
struct ResidualEnd {
  friend bool operator==(const ResidualEnd&, const ResidualEnd&) = default;
};

[[nodiscard]] inline Shape output_shape(const ResidualBegin&, const Shape& in) { return in; }
/// plan_network() checks that the input has the shape of the block's input.
[[nodiscard]] inline Shape output_shape(const ResidualEnd&, const Shape& in) { return in; }
[[nodiscard]] inline std::vector<TensorSpec> tensors(const ResidualBegin&, const Shape&) { return {}; }
[[nodiscard]] inline std::vector<TensorSpec> tensors(const ResidualEnd&, const Shape&) { return {}; }
[[nodiscard]] inline std::optional<Operation> operation_of(const ResidualBegin&, const Shape&) {
  return ForkOperation{};
}
[[nodiscard]] inline std::optional<Operation> operation_of(const ResidualEnd&, const Shape&) {
  return AddOperation{};
}
/// The gradients of both branches are read and their sum is written.
[[nodiscard]] inline Cost cost(const ResidualBegin&, const Shape& in, std::int64_t rows) {
  const Work work{.bytes = 3.0 * sizeof(float) * static_cast<double>(rows) * static_cast<double>(in.size())};
  return {.forward = {}, .input_gradient = work, .parameter_gradients = {}};
}
/// Both operands are read and their sum is written.
[[nodiscard]] inline Cost cost(const ResidualEnd&, const Shape& in, std::int64_t rows) {
  return {.forward = cost(ResidualBegin{}, in, rows).input_gradient,
          .input_gradient = {},
          .parameter_gradients = {}};
}
[[nodiscard]] inline std::string text_of(const ResidualBegin&) { return "residual("; }
[[nodiscard]] inline std::string text_of(const ResidualEnd&) { return ")"; }

}  // namespace warpfit
