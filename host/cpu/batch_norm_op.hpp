// A batch normalization layer on the CPU. CUDA counterpart: cuda/batch_norm_op.
#pragma once

#include <memory>

#include "host/cpu/layer_ops.hpp"

namespace warpfit::cpu {

[[nodiscard]] std::unique_ptr<LayerOp> make_batch_norm_op(const OpContext& context,
                                                          const BatchNormOperation& operation);

}  // namespace warpfit::cpu
