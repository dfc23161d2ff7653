// Pooling of images: nn.MaxPool2d, nn.AvgPool2d, and nn.AdaptiveAvgPool2d(1), the mean of each channel.
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

struct Pool {
  PoolKind kind = PoolKind::kMax;
  bool is_global = false;  ///< pools the whole channel; the other members are unused
  std::int64_t kernel = 1, stride = 1, padding = 0;

  friend bool operator==(const Pool&, const Pool&) = default;
};

/// Errors: UsageError if the input is smaller than a window, or the padding is more than half of a window.
[[nodiscard]] Shape output_shape(const Pool& layer, const Shape& in);
[[nodiscard]] std::vector<TensorSpec> tensors(const Pool& layer, const Shape& in);
[[nodiscard]] std::optional<Operation> operation_of(const Pool& layer, const Shape& in);
[[nodiscard]] Cost cost(const Pool& layer, const Shape& in, std::int64_t rows);
/// "maxpool(2)", "avgpool(3,2,1)" or "globalavgpool"
[[nodiscard]] std::string text_of(const Pool& layer);

}  // namespace warpfit
