// A convolution layer on the CPU. CUDA counterpart: cuda/conv_op.
#pragma once

#include <cstdint>
#include <memory>

#include "host/cpu/conv.hpp"
#include "host/cpu/layer_ops.hpp"

namespace warpfit::cpu {

[[nodiscard]] std::unique_ptr<LayerOp> make_conv_op(const OpContext& context, const ConvOperation& operation,
                                                    std::int64_t rows);

/// The memory of such a layer in bytes: for each thread, the weights in oneDNN's format and their gradient.
[[nodiscard]] std::uint64_t conv_op_bytes(const ThreadPool& pool, const ConvOperation& operation,
                                          std::int64_t rows, Convolution::Gradients gradients);

}  // namespace warpfit::cpu
