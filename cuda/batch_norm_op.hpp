// A batch normalization layer on a GPU. CPU counterpart: host/cpu/batch_norm_op.
#pragma once

#include <memory>

#include "cuda/layer_ops.hpp"

namespace warpfit {

[[nodiscard]] std::unique_ptr<LayerOp> make_batch_norm_op(const OpContext& context,
                                                          const BatchNormOperation& operation,
                                                          std::int64_t rows);

}  // namespace warpfit
