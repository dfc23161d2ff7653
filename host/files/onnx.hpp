// Writes a graph of operators as an ONNX model (https://github.com/onnx/onnx/blob/main/docs/IR.md) for any
// runtime.
//
//   input (batch, sample...) -> Flatten -> Gemm -> Relu -> ... -> Gemm -> output (batch, ...)
//
// fp32; any batch size; IR version 8, operator set 17. host/model/onnx_network has the graph of a network.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace warpfit {

struct OnnxAttribute {
  std::string name;
  std::variant<std::int64_t, std::vector<std::int64_t>, float> value;
};

/// An operator. Its first input is the output of the operator before it, or the graph's input.
struct OnnxOperator {
  std::string type;                      ///< "Gemm"
  std::vector<std::string> inputs = {};  ///< the others: names of tensors or of outputs of earlier operators
  std::vector<OnnxAttribute> attributes = {};
};

/// A constant input of operators.
struct OnnxTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::variant<std::span<const float>, std::vector<std::int64_t>> values;  ///< floats are not owned
};

struct OnnxGraph {
  std::vector<std::int64_t> sample_shape;  ///< shape of the input after the batch dimension
  std::vector<std::int64_t> output_shape;  ///< likewise of the output
  std::vector<OnnxOperator> operators;     ///< the output of the last one is the graph's
  std::vector<OnnxTensor> tensors;
  std::map<std::string, std::string> metadata = {};
  std::string producer_version = {};
};

/// The name of what the graph's operators compute so far: "input", or "Gemm_2_output" if the second and last
/// operator is a Gemm. In the file, the output of the last operator has the name "output" instead.
[[nodiscard]] std::string newest_value(const OnnxGraph& graph);

/// Replaces the file at `path`, completely or not at all.
/// Errors: IoError; ModelError if the file would exceed the 2 GB of a protobuf message; InternalError if a
/// shape is not positive, the values of a tensor do not match its shape, a name is used twice, or an operator
/// reads a value that does not exist.
void write_onnx(const std::string& path, const OnnxGraph& graph);

}  // namespace warpfit
