// The operations that a device computes for the layers of a network. host/model/layers says which operation a
// layer is; host/train/operation_plan decides which operations are fused, and how images are laid out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "host/backend/activation.hpp"
#include "host/backend/dropout.hpp"
#include "host/backend/image.hpp"

namespace warpfit {

/// y (N, M) = activation(x (N, K) w' + b), with w (M, K) as nn.Linear keeps it, and b (M). Tensors: w, b.
struct LinearOperation {
  std::int64_t inputs = 0, outputs = 0;
  bool bias = true;
  ActivationKind activation = ActivationKind::kNone;
  /// The activation whose output is x. dx includes its derivative: where ReLU returned 0, dx is 0.
  ActivationKind input_activation = ActivationKind::kNone;
};

/// y = activation(x), element-wise. No tensors.
struct ActivationOperation {
  Activation activation;
};

/// values *= 0 or 1 / (1 - p), in place, by the mask of the current step; likewise for their gradients. Does
/// nothing in evaluation. No tensors.
struct DropoutOperation {
  DropoutMask mask;
};

/// Batch normalization counts its batches up to this number.
constexpr std::int32_t kMaxBatchCount = 1 << 30;

/// y (N, out().size()) = activation(convolution of x (N, in.size()) with w, plus b), as nn.Conv2d computes
/// it. Output channel o of group g = o / (out_channels / groups) is a sum over the input channels of the
/// group. Tensors: w (out_channels, in.channels / groups, rows.size, columns.size), b (out_channels).
struct ConvOperation {
  Image in;
  std::int64_t out_channels = 0;
  Windows rows, columns;
  std::int64_t groups = 1;
  bool bias = true;
  ActivationKind activation = ActivationKind::kNone;  ///< ReLU or none
  /// As in LinearOperation.
  ActivationKind input_activation = ActivationKind::kNone;

  [[nodiscard]] constexpr Image out() const {
    return {out_channels, rows.count(in.height), columns.count(in.width)};
  }
  [[nodiscard]] constexpr std::int64_t weights() const {
    return out_channels * (in.channels / groups) * rows.size * columns.size;
  }
};

/// y = x with each sample, a (rows, columns) matrix, transposed. It converts images between channels first,
/// (channels, pixels), and channels last. No tensors.
struct TransposeOperation {
  std::int64_t rows = 0, columns = 0;
};

/// y = activation((x - mean) / sqrt(variance + eps) * weight + bias) for each channel; x and y are (N,
/// pixels * channels), with channels last. In training, mean and (biased) variance are those of the batch,
/// and the running statistics become (1 - momentum) * running + momentum * the batch's, with its unbiased
/// variance; in evaluation the running statistics are used. Tensors: weight and bias (channels). State:
/// running mean and running variance (channels), number of batches (a 32-bit integer).
struct BatchNormOperation {
  std::int64_t channels = 0, pixels = 1;  ///< of a sample
  double eps = 1e-5, momentum = 0.1;
  ActivationKind activation = ActivationKind::kNone;  ///< ReLU or none
  /// Whether a batch is the rows of all ranks of Backend::communicator(). In training, forward() and
  /// backward_input() are then collective, and a rank may have no rows. The gradients of weight and bias are
  /// sums over the rows here.
  bool is_synchronized = false;
};

enum class PoolKind { kMax, kAverage };

/// In place of the position of a maximum that has no gradient.
constexpr std::uint16_t kNoPosition = 0xffff;

/// y = activation(the largest value or the mean of each window of each channel). Max pooling ignores padding;
/// average pooling counts it as zeros. No tensors.
struct PoolOperation {
  PoolKind kind = PoolKind::kMax;
  Image in;
  Windows rows, columns;
  ActivationKind activation = ActivationKind::kNone;  ///< of max pooling: ReLU or none

  [[nodiscard]] constexpr Image out() const {
    return {in.channels, rows.count(in.height), columns.count(in.width)};
  }
  /// The index of a value within window (y, x), in row-major order.
  [[nodiscard]] constexpr std::int64_t position(std::int64_t y, std::int64_t x, std::int64_t row,
                                                std::int64_t column) const {
    const auto down = row - y * rows.stride + rows.padding;
    return down * columns.size + column - x * columns.stride + columns.padding;
  }
};

/// The input of a residual block: y = x for the block's layers, while the AddOperation at its end reads x as
/// well. dx = dy + the gradient of the AddOperation's y, which is `other` in the views. x and y may be the
/// same memory. No tensors.
struct ForkOperation {};

/// The end of a residual block: y = activation(x + other), where `other` is the block's input. dx = dy, which
/// may be the same memory. No tensors.
struct AddOperation {
  ActivationKind activation = ActivationKind::kNone;  ///< ReLU or none
};

using Operation = std::variant<LinearOperation, ActivationOperation, DropoutOperation, BatchNormOperation,
                               PoolOperation, ConvOperation, TransposeOperation, ForkOperation, AddOperation>;

/// An operation of a network: it reads one value and writes another one, or updates it in place. (A value is
/// the input or the output of an operation for a batch.)
struct PlannedOperation {
  Operation operation;
  std::int64_t outputs = 0;  ///< elements of y per sample
  std::size_t x = 0, y = 0;  ///< indices of the values that it reads and writes
  std::size_t other = 0;  ///< AddOperation: its other value; ForkOperation: the sum, whose gradient it reads
  std::size_t first_tensor = 0;  ///< index into the network's tensors
  std::size_t tensors = 0;       ///< how many tensors from there on belong to it
  std::size_t first_state = 0;   ///< likewise for the tensors of its state
  std::size_t states = 0;
  bool trains = false;              ///< whether any of its tensors is trained, not frozen
  bool has_input_gradient = false;  ///< whether an operation before it has trainable parameters
};

/// The operations of a network in the order in which they are computed; value 0 is the input, the last one
/// the output.
struct OperationPlan {
  std::vector<PlannedOperation> operations;
  std::vector<std::int64_t> widths;  ///< elements of each value per sample
  /// For each value, the index of the value whose memory it uses, usually its own; likewise for its gradient.
  std::vector<std::size_t> memory, gradient_memory;
};

}  // namespace warpfit
