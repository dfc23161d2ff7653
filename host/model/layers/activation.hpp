// An activation as a layer: a function of each value by itself, without parameters.
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

[[nodiscard]] Shape output_shape(const Activation& layer, const Shape& in);
[[nodiscard]] std::vector<TensorSpec> tensors(const Activation& layer, const Shape& in);
[[nodiscard]] std::optional<Operation> operation_of(const Activation& layer, const Shape& in);
/// Of one that is computed in the passes of the layers before and after it.
[[nodiscard]] Cost cost(const Activation& layer, const Shape& in, std::int64_t rows);
/// "relu"
[[nodiscard]] std::string text_of(const Activation& layer);

}  // namespace warpfit
