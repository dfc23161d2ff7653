// Batch normalization of each channel, with a weight and a bias (channels): nn.BatchNorm2d after images,
// nn.BatchNorm1d after vectors.
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

struct BatchNorm {
  double eps = 1e-5;      ///< added to the variance
  double momentum = 0.1;  ///< weight of the batch in the running statistics

  friend bool operator==(const BatchNorm&, const BatchNorm&) = default;
};

[[nodiscard]] Shape output_shape(const BatchNorm& layer, const Shape& in);
/// Weight and bias; running mean, running variance and number of batches.
[[nodiscard]] std::vector<TensorSpec> tensors(const BatchNorm& layer, const Shape& in);
[[nodiscard]] std::optional<Operation> operation_of(const BatchNorm& layer, const Shape& in);
[[nodiscard]] Cost cost(const BatchNorm& layer, const Shape& in, std::int64_t rows);
/// "batchnorm" or "batchnorm(0.001,0.01)"
[[nodiscard]] std::string text_of(const BatchNorm& layer);

}  // namespace warpfit
