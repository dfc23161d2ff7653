// How a network is distributed over the blocks of the persistent trainer: block j owns the same few columns
// of every hidden layer's values and gradients, and therefore the corresponding rows of the weights before
// it. What a block owns stays in its shared memory for a whole chunk of batches.
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
constexpr int kMaxFusedThreads = 256;  ///< per block
constexpr int kOffsetUnit = 16;        ///< bytes; the granularity of shared memory: the widest access

/// Values 0 are the samples, values i the outputs of layer i - 1, values `layers` the logits. Offsets are in
/// units of kOffsetUnit, from the start of a block's dynamic shared memory; -1 for data that is not stored.
/// Rows of matrices in shared memory are padded with zeros to a multiple of four elements (pixels: sixteen).
struct FusedPlan {
  int layers = 0, blocks = 0, threads = 0;
  int owners = 0;                                  ///< blocks that own values before the logits
  int rows = 0;                                    ///< maximum batch size
  std::array<int, kMaxFusedLayers + 1> widths{};   ///< of the values
  std::array<int, kMaxFusedLayers + 1> columns{};  ///< of the values, per block; 0 for the logits

  int pixels = -1;                            ///< (rows, widths[0]), bytes
  int gathered = -1;                          ///< (rows, any hidden width): values or gradients of all blocks
  int logits = -1;                            ///< (warps, classes): each warp's terms of one row's logits
  int dlogits = -1;                           ///< (rows, classes)
  int gradients = -1;                         ///< (rows, columns), own columns of the current values
  int partial = -1;                           ///< (threads)
  int step_constants = -1;                    ///< step constants of the optimizer
  int copies = -1;                            ///< (warps), barriers of 8 bytes
  std::array<int, kMaxFusedLayers> values{};  ///< (rows, columns), own columns of these values
  std::array<int, kMaxFusedLayers> biases{};  ///< (columns), own biases, except of the last layer
  std::array<int, kMaxFusedLayers> weights{};  ///< (columns, inputs), own rows, except of the last layer
  /// (columns, outputs): the weights of this layer, except the first layer, that read the block's own values.
  std::array<int, kMaxFusedLayers> outgoing_weights{};
  int shared_bytes = 0;

  [[nodiscard]] constexpr bool operator==(const FusedPlan&) const = default;

  /// Row stride of a matrix with rows of `width` elements.
  [[nodiscard]] static constexpr int padded(int width, int to = 4) { return (width + to - 1) / to * to; }
};

/// Plans for batches of at most `rows` rows. Returns nothing, and the reason, if the device does not support
/// it.
std::optional<FusedPlan> plan_fused(std::span<const std::int64_t> widths, std::int64_t rows,
                                    const DeviceLimits& limits, std::string& reason);

}  // namespace warpfit::cuda
