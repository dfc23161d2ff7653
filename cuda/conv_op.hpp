// A convolution layer on a GPU: cuDNN for the products, our own kernels for bias, activation and update. CPU
// counterpart: host/cpu/conv_op.
#pragma once

#include <memory>

#include "cuda/layer_ops.hpp"

namespace warpfit {

/// Loads cuDNN at the first call. Errors: DeviceError if it cannot be loaded or does not support the
/// convolution.
[[nodiscard]] std::unique_ptr<LayerOp> make_conv_op(const OpContext& context, const ConvOperation& operation,
                                                    std::int64_t rows);

}  // namespace warpfit
