// A network of vectors as an ONNX model (https://github.com/onnx/onnx/blob/main/docs/IR.md), for any
// runtime to load.
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

/// What is written; the weights belong to somebody else.
struct OnnxNetwork {
  /// A matrix product with a bias, then ReLU. Each of the three may be left out: a product whose weight has
  /// no name, and a bias that has none.
  struct Layer {
    std::string weight_name = {}, bias_name = {};
    std::int64_t inputs = 0, outputs = 0;
    std::span<const float> w = {};  ///< (outputs, inputs)
    std::span<const float> b = {};  ///< (outputs)
    /// An operator of one value, as "Relu"; or "Gelu" or "Silu", which this operator set has no operator for
    /// and which are written as what they are made of.
    std::string activation = {};
    std::optional<float> alpha = {};  ///< its attribute
    /// Batch normalization by fixed statistics, one value for each input, instead of all of the above.
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

/// Replaces the file at `path`, whole or not at all.
/// Errors: IoError; ModelError where it would grow beyond the 2 GB of a protobuf message; InternalError where
/// layers do not fit each other.
void write_onnx(const std::string& path, const OnnxNetwork& network);

}  // namespace warpfit
