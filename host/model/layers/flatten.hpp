// An image as a vector (nn.Flatten), channel by channel and row by row. No data is moved.
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

struct Flatten {
  friend bool operator==(const Flatten&, const Flatten&) = default;
};

[[nodiscard]] inline Shape output_shape(const Flatten&, const Shape& in) { return {in.size(), 1, 1}; }
[[nodiscard]] inline std::vector<TensorSpec> tensors(const Flatten&, const Shape&) { return {}; }
[[nodiscard]] inline std::optional<Operation> operation_of(const Flatten&, const Shape&) { return {}; }
[[nodiscard]] inline Cost cost(const Flatten&, const Shape&, std::int64_t) { return {}; }
[[nodiscard]] inline std::string text_of(const Flatten&) { return "flatten"; }

}  // namespace warpfit
