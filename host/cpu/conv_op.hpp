// A convolution layer on the CPU. CUDA counterpart: cuda/conv_op.
#pragma once

#include <memory>

#include "host/cpu/layer_ops.hpp"

namespace warpfit::cpu {

[[nodiscard]] std::unique_ptr<LayerOp> make_conv_op(const OpContext& context, const ConvOperation& operation,
                                                    std::int64_t rows);

}  // namespace warpfit::cpu
