// How a network is shared out among the blocks of the persistent trainer: block j owns the same few columns
// of every hidden layer's values and gradients, hence those rows of the weights before it. What a block owns
// stays in its shared memory for a whole chunk of batches.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "cuda/runtime/device.hpp"

namespace warpfit::cuda {

constexpr int kMaxFusedLayers = 8;
constexpr int kMaxFusedThreads = 256;  ///< in a block
constexpr int kOffsetUnit = 16;        ///< bytes; the granularity of shared memory: the widest access

/// Values 0 are the samples', values i the outputs of layer i - 1, values `layers` the logits. Offsets are
/// in units of kOffsetUnit, from the start of a block's dynamic shared memory; -1 for what is not kept.
/// Matrices there have rows padded to a multiple of four elements (pixels: sixteen), and zeros in the
/// padding.
struct FusedPlan {
  int layers = 0, blocks = 0, threads = 0;
  int owners = 0;                                  ///< blocks that own values before the logits
  int rows = 0;                                    ///< of a batch, at most
  std::array<int, kMaxFusedLayers + 1> widths{};   ///< of the values
  std::array<int, kMaxFusedLayers + 1> columns{};  ///< of the values, that a block owns; 0 of the logits

  int pixels = -1;                            ///< (rows, widths[0]), bytes
  int gathered = -1;                          ///< (rows, any hidden width): values or gradients of all blocks
  int logits = -1;                            ///< (warps, classes): each warp's terms of one row's logits
  int dlogits = -1;                           ///< (rows, classes)
  int gradients = -1;                         ///< (rows, columns), the block's own of the newest values
  int partial = -1;                           ///< (threads)
  int factors = -1;                           ///< of the optimizer's step
  int copies = -1;                            ///< (warps), barriers of 8 bytes
  std::array<int, kMaxFusedLayers> values{};  ///< (rows, columns), the block's own of these values
  std::array<int, kMaxFusedLayers> biases{};  ///< (columns), the block's own of this layer, but the last
  std::array<int, kMaxFusedLayers> weights{};  ///< (columns, inputs): own rows of this layer, but the last
  /// (columns, outputs): the weights of this layer, but the first, that read the block's own values.
  std::array<int, kMaxFusedLayers> outgoing_weights{};
  int shared_bytes = 0;

  [[nodiscard]] constexpr bool operator==(const FusedPlan&) const = default;

  /// Elements from one row to the next of a matrix with rows of `width`.
  [[nodiscard]] static constexpr int padded(int width, int to = 4) { return (width + to - 1) / to * to; }
};

/// For batches of at most `rows` rows. Nothing where the device cannot, and then `reason` says why.
std::optional<FusedPlan> plan_fused(std::span<const std::int64_t> widths, std::int64_t rows,
                                    const DeviceLimits& limits, std::string& reason);

}  // namespace warpfit::cuda
