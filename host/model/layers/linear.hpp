// nn.Linear: y = W x + b, with W (outputs, inputs) and b (outputs).
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

struct Linear {
  std::int64_t outputs = 0;
  bool bias = true;

  friend bool operator==(const Linear&, const Linear&) = default;
};

/// Errors: UsageError if the input is not a vector.
[[nodiscard]] Shape output_shape(const Linear& layer, const Shape& in);
/// Weight and bias.
[[nodiscard]] std::vector<TensorSpec> tensors(const Linear& layer, const Shape& in);
[[nodiscard]] std::optional<Operation> operation_of(const Linear& layer, const Shape& in);
[[nodiscard]] Cost cost(const Linear& layer, const Shape& in, std::int64_t rows);
/// "linear(512)"
[[nodiscard]] std::string text_of(const Linear& layer);

}  // namespace warpfit
