#include "host/files/onnx.hpp"

#include <fmt/core.h>

#include <cstddef>
#include <limits>
#include <set>

#include "host/base/error.hpp"
#include "host/files/atomic_file.hpp"
#include "host/files/json.hpp"
#include "host/files/protobuf_writer.hpp"
#include "host/files/tensor.hpp"

namespace warpfit {
namespace {

using Message = ProtobufMessage;

constexpr std::int64_t kIrVersion = 8;
constexpr std::int64_t kOperatorSet = 17;
constexpr std::int64_t kFloat = 1, kInteger = 7;  // TensorProto.DataType.FLOAT, INT64
// AttributeProto.AttributeType.FLOAT, INT, INTS
constexpr std::int64_t kFloatAttribute = 1, kIntegerAttribute = 2, kIntegersAttribute = 7;
constexpr std::uint64_t kMaxBytes = std::numeric_limits<std::int32_t>::max();

// Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
constexpr int kModelIrVersion = 1, kModelProducer = 2, kModelProducerVersion = 3, kModelGraph = 7,
              kModelOperatorSet = 8, kModelMetadata = 14;
constexpr int kOperatorSetDomain = 1, kOperatorSetVersion = 2;
constexpr int kEntryKey = 1, kEntryValue = 2;
constexpr int kGraphNode = 1, kGraphName = 2, kGraphInitializer = 5, kGraphInput = 11, kGraphOutput = 12;
constexpr int kNodeInput = 1, kNodeOutput = 2, kNodeName = 3, kNodeOperator = 4, kNodeAttribute = 5;
constexpr int kAttributeName = 1, kAttributeFloat = 2, kAttributeInteger = 3, kAttributeIntegers = 8,
              kAttributeType = 20;
constexpr int kTensorDimension = 1, kTensorType = 2, kTensorName = 8, kTensorRawData = 9;
constexpr int kValueName = 1, kValueType = 2;
constexpr int kTypeTensor = 1, kTypeElement = 1, kTypeShape = 2;
constexpr int kShapeDimension = 1, kDimensionValue = 1, kDimensionName = 2;

// Names of the graph's own input and output.
const std::string kInput = "input", kOutput = "output";

// A node is named after its operator and its number: "Gemm_2".
std::string node_name(const OnnxGraph& graph, std::size_t node) {
  return fmt::format("{}_{}", graph.operators[node].type, node + 1);
}

std::string value_name(const OnnxGraph& graph, std::size_t node) {
  return node_name(graph, node) + "_output";
}

std::span<const std::byte> bytes_of(const OnnxTensor& tensor) {
  return std::visit([](const auto& values) { return std::as_bytes(std::span(values)); }, tensor.values);
}

bool is_float(const OnnxTensor& tensor) { return tensor.values.index() == 0; }

bool is_positive(std::span<const std::int64_t> shape) {
  const auto size = tensor_size(DType::kU8, shape);
  return size && *size > 0;
}

void check_graph(const OnnxGraph& graph, const std::string& path) {
  if (!is_positive(graph.sample_shape) || !is_positive(graph.output_shape) || graph.operators.empty())
    throw InternalError(fmt::format("{}: cannot write a graph without inputs, outputs or operators", path));
  std::set<std::string> known{kInput, kOutput};
  const auto define = [&](const std::string& name) {
    if (!known.insert(name).second)
      throw InternalError(fmt::format("{}: cannot write '{}' twice", path, name));
  };
  for (const auto& tensor : graph.tensors) {
    define(tensor.name);
    const auto size = tensor_size(is_float(tensor) ? DType::kF32 : DType::kI64, tensor.shape);
    if (!is_positive(tensor.shape) || size != bytes_of(tensor).size()) {
      throw InternalError(fmt::format("{}: cannot write tensor '{}': its {} bytes do not match its shape",
                                      path, tensor.name, bytes_of(tensor).size()));
    }
  }
  for (std::size_t node = 0; node < graph.operators.size(); ++node) {
    for (const auto& input : graph.operators[node].inputs) {
      if (input == kOutput || !known.contains(input)) {
        throw InternalError(fmt::format("{}: cannot write {}: there is no '{}' before it", path,
                                        node_name(graph, node), input));
      }
    }
    define(value_name(graph, node));
  }
}

Message attribute_message(const OnnxAttribute& attribute) {
  Message message;
  message.bytes(kAttributeName, attribute.name);
  if (const auto* integer = std::get_if<std::int64_t>(&attribute.value)) {
    message.integer(kAttributeInteger, *integer).integer(kAttributeType, kIntegerAttribute);
  } else if (const auto* number = std::get_if<float>(&attribute.value)) {
    message.number(kAttributeFloat, *number).integer(kAttributeType, kFloatAttribute);
  } else {
    for (const auto each : std::get<std::vector<std::int64_t>>(attribute.value))
      message.integer(kAttributeIntegers, each);
    message.integer(kAttributeType, kIntegersAttribute);
  }
  return message;
}

Message node_message(const OnnxGraph& graph, std::size_t node) {
  const auto& described = graph.operators[node];
  Message message;
  message.bytes(kNodeInput, node == 0 ? kInput : value_name(graph, node - 1));
  for (const auto& input : described.inputs) message.bytes(kNodeInput, input);
  const bool is_last = node + 1 == graph.operators.size();
  message.bytes(kNodeOutput, is_last ? kOutput : value_name(graph, node))
      .bytes(kNodeName, node_name(graph, node))
      .bytes(kNodeOperator, described.type);
  for (const auto& attribute : described.attributes)
    message.message(kNodeAttribute, attribute_message(attribute));
  return message;
}

// A float tensor of any number of samples with this shape.
Message batch_of(const std::string& name, std::span<const std::int64_t> shape) {
  Message dimensions;
  dimensions.message(kShapeDimension, Message().bytes(kDimensionName, "batch"));
  for (const auto dimension : shape) {
    dimensions.message(kShapeDimension, Message().integer(kDimensionValue, dimension));
  }
  const auto tensor = Message().integer(kTypeElement, kFloat).message(kTypeShape, dimensions);
  return Message().bytes(kValueName, name).message(kValueType, Message().message(kTypeTensor, tensor));
}

// The graph without its initializers.
Message graph_message(const OnnxGraph& graph) {
  Message message;
  for (std::size_t node = 0; node < graph.operators.size(); ++node)
    message.message(kGraphNode, node_message(graph, node));
  message.bytes(kGraphName, "warpfit")
      .message(kGraphInput, batch_of(kInput, graph.sample_shape))
      .message(kGraphOutput, batch_of(kOutput, graph.output_shape));
  return message;
}

// The bytes of a graph's initializer field up to its raw data, which is written without copying it.
std::string initializer_head(const OnnxTensor& tensor) {
  const auto size = bytes_of(tensor).size();
  Message message;
  for (const auto dimension : tensor.shape) message.integer(kTensorDimension, dimension);
  message.integer(kTensorType, is_float(tensor) ? kFloat : kInteger)
      .bytes(kTensorName, tensor.name)
      .start_bytes(kTensorRawData, size);
  return Message().start_bytes(kGraphInitializer, message.text().size() + size).text() + message.text();
}

}  // namespace

std::string newest_value(const OnnxGraph& graph) {
  return graph.operators.empty() ? kInput : value_name(graph, graph.operators.size() - 1);
}

void write_onnx(const std::string& path, const OnnxGraph& graph) {
  check_graph(graph, path);
  const auto nodes = graph_message(graph);
  std::vector<std::string> heads;
  for (const auto& tensor : graph.tensors) heads.push_back(initializer_head(tensor));
  std::uint64_t graph_size = nodes.text().size();
  for (std::size_t i = 0; i < heads.size(); ++i)
    graph_size += heads[i].size() + bytes_of(graph.tensors[i]).size();

  Message model;
  model.integer(kModelIrVersion, kIrVersion)
      .bytes(kModelProducer, "warpfit")
      .bytes(kModelProducerVersion, graph.producer_version)
      .message(kModelOperatorSet,
               Message().bytes(kOperatorSetDomain, "").integer(kOperatorSetVersion, kOperatorSet));
  for (const auto& [key, value] : graph.metadata) {
    check_text(key, path);
    check_text(value, path);
    model.message(kModelMetadata, Message().bytes(kEntryKey, key).bytes(kEntryValue, value));
  }
  model.start_bytes(kModelGraph, graph_size);
  const std::uint64_t size = model.text().size() + graph_size;
  if (size > kMaxBytes) {
    throw ModelError(
        fmt::format("{}: cannot write {} bytes, expected at most {} for ONNX in one file; write "
                    "safetensors instead",
                    path, size, kMaxBytes));
  }

  AtomicFile file(path);
  file.write(model.text());
  file.write(nodes.text());
  for (std::size_t i = 0; i < heads.size(); ++i) {
    file.write(heads[i]);
    file.write(bytes_of(graph.tensors[i]));
  }
  file.commit();
}

}  // namespace warpfit
