// Writes a network as an ONNX model (https://github.com/onnx/onnx/blob/main/docs/IR.md) for any runtime.
//
//   input (batch, sample...) -> Flatten -> Gemm -> Relu -> ... -> Gemm -> [LogSoftmax] -> output (batch,
//   classes)
//
// fp32; any batch size; IR version 8, operator set 17.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace warpfit {

/// The network to be written; it does not own the weights.
struct OnnxNetwork {
  /// A matrix product with a bias, then an activation. Each of the three is optional: there is no product or
  /// no bias if its name is empty.
  struct Layer {
    std::string weight_name = {}, bias_name = {};
    std::int64_t inputs = 0, outputs = 0;
    std::span<const float> w = {};  ///< (outputs, inputs)
    std::span<const float> b = {};  ///< (outputs)
    /// A unary operator such as "Relu"; or "Gelu" or "Silu", which are not in this operator set and are
    /// written as several operators.
    std::string activation = {};
    std::optional<float> alpha = {};  ///< its attribute
    /// Batch normalization with fixed statistics, one value per input; used instead of all members above.
    struct Normalization {
      std::array<std::string, 4> names;              ///< of weight, bias, mean and variance
      std::array<std::span<const float>, 4> values;  ///< (outputs)
      double eps = 0;
    };
    std::optional<Normalization> normalization = {};
  };

  std::vector<std::int64_t> sample_shape;
  std::vector<Layer> layers;
  bool log_softmax = false;
  std::map<std::string, std::string> metadata;
  std::string producer_version;
};

/// Replaces the file at `path`, completely or not at all.
/// Errors: IoError; ModelError if the file would exceed the 2 GB of a protobuf message; InternalError if the
/// shapes of the layers do not match.
void write_onnx(const std::string& path, const OnnxNetwork& network);

}  // namespace warpfit
