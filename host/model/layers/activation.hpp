// An activation as a layer: a function of each value by itself, without parameters.
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

/// What is written of an activation, and what ONNX calls it.
struct ActivationName {
  std::string_view text;  ///< as torch.nn, in lower case
  std::string_view onnx;  ///< operator, of which gelu and silu are more than one
  ActivationKind kind;
  std::string_view parameter = {};  ///< name of its parameter; empty if it has none
  float otherwise = 0;              ///< the parameter's default
};

[[nodiscard]] std::span<const ActivationName> activation_names();
[[nodiscard]] const ActivationName& name_of(const Activation& layer);

[[nodiscard]] Shape output_shape(const Activation& layer, const Shape& in);
[[nodiscard]] std::vector<TensorSpec> tensors(const Activation& layer, const Shape& in);
[[nodiscard]] std::optional<Operation> operation_of(const Activation& layer, const Shape& in);
/// Of ReLU, as it is computed in the passes of the layers before and after it; of the others as passes of
/// their own.
[[nodiscard]] Cost cost(const Activation& layer, const Shape& in, std::int64_t rows);
/// "relu" or "elu(0.5)"
[[nodiscard]] std::string text_of(const Activation& layer);

}  // namespace warpfit
