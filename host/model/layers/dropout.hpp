// nn.Dropout as a layer: in training each value is set to 0 with probability p, else divided by 1 - p.
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

struct Dropout {
  float p = 0.5F;  ///< at least 0 and below 1

  friend bool operator==(const Dropout&, const Dropout&) = default;
};

[[nodiscard]] Shape output_shape(const Dropout& layer, const Shape& in);
[[nodiscard]] std::vector<TensorSpec> tensors(const Dropout& layer, const Shape& in);
/// No operation if p is 0.
[[nodiscard]] std::optional<Operation> operation_of(const Dropout& layer, const Shape& in);
[[nodiscard]] Cost cost(const Dropout& layer, const Shape& in, std::int64_t rows);
/// "dropout(0.2)"
[[nodiscard]] std::string text_of(const Dropout& layer);

}  // namespace warpfit
