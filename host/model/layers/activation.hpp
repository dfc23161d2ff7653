// An activation as a layer: an element-wise function without parameters.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/backend/operation.hpp"
#include "host/model/layers/cost.hpp"
#include "host/model/layers/shape.hpp"
#include "host/model/layers/tensor_spec.hpp"

namespace warpfit {

/// The names of an activation in --network and in ONNX.
struct ActivationName {
  std::string_view text;  ///< torch.nn's name in lower case
  std::string_view onnx;  ///< operator; gelu and silu consist of more than one
  ActivationKind kind;
  std::string_view parameter = {};  ///< name of its parameter; empty if it has none
  float otherwise = 0;              ///< the parameter's default
};

[[nodiscard]] std::span<const ActivationName> activation_names();
[[nodiscard]] const ActivationName& name_of(const Activation& layer);

[[nodiscard]] Shape output_shape(const Activation& layer, const Shape& in);
[[nodiscard]] std::vector<TensorSpec> tensors(const Activation& layer, const Shape& in);
[[nodiscard]] std::optional<Operation> operation_of(const Activation& layer, const Shape& in);
/// The cost of ReLU is that of fusing it with the layers before and after it; the other activations are
/// computed in separate passes.
[[nodiscard]] Cost cost(const Activation& layer, const Shape& in, std::int64_t rows);
/// "relu" or "elu(0.5)"
[[nodiscard]] std::string text_of(const Activation& layer);

}  // namespace warpfit
