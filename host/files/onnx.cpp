#include "host/files/onnx.hpp"

#include <fmt/core.h>

#include <limits>

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
constexpr std::int64_t kFloat = 1;             // TensorProto.DataType.FLOAT
constexpr std::int64_t kIntegerAttribute = 2;  // AttributeProto.AttributeType.INT
constexpr std::uint64_t kMostBytes = std::numeric_limits<std::int32_t>::max();

// Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
constexpr int kModelIrVersion = 1, kModelProducer = 2, kModelProducerVersion = 3, kModelGraph = 7,
              kModelOperatorSet = 8, kModelMetadata = 14;
constexpr int kOperatorSetDomain = 1, kOperatorSetVersion = 2;
constexpr int kEntryKey = 1, kEntryValue = 2;
constexpr int kGraphNode = 1, kGraphName = 2, kGraphInitializer = 5, kGraphInput = 11, kGraphOutput = 12;
constexpr int kNodeInput = 1, kNodeOutput = 2, kNodeName = 3, kNodeOperator = 4, kNodeAttribute = 5;
constexpr int kAttributeName = 1, kAttributeInteger = 3, kAttributeType = 20;
constexpr int kTensorDimension = 1, kTensorType = 2, kTensorName = 8, kTensorRawData = 9;
constexpr int kValueName = 1, kValueType = 2;
constexpr int kTypeTensor = 1, kTypeElement = 1, kTypeShape = 2;
constexpr int kShapeDimension = 1, kDimensionValue = 1, kDimensionName = 2;

void check_network(const OnnxNetwork& network, const std::string& path) {
  const auto samples = tensor_size(DType::kU8, network.sample_shape);
  if (!samples || *samples == 0 || network.layers.empty()) {
    throw InternalError(fmt::format("{}: cannot write a network without inputs or layers", path));
  }
  auto inputs = static_cast<std::int64_t>(*samples);
  for (const auto& layer : network.layers) {
    const bool has_product = !layer.weight_name.empty();
    const std::int64_t shape[] = {layer.outputs, layer.inputs};
    const auto weights = has_product ? tensor_size(DType::kF32, shape) : std::optional<std::uint64_t>(0);
    const auto biases = layer.bias_name.empty() ? 0 : layer.outputs;
    const bool fits = layer.inputs == inputs && layer.outputs > 0 && weights == layer.w.size_bytes() &&
                      layer.b.size() == static_cast<std::size_t>(biases) &&
                      (has_product || (layer.inputs == layer.outputs && layer.bias_name.empty()));
    if (!fits) {
      throw InternalError(fmt::format(
          "{}: cannot write layer '{}' of {} inputs and {} outputs with {} weights and {} "
          "biases behind {} values",
          path, layer.weight_name, layer.inputs, layer.outputs, layer.w.size(), layer.b.size(), inputs));
    }
    inputs = layer.outputs;
  }
}

// The chain of operators: each but the last names its own output.
class Chain {
 public:
  Chain(Message& graph, std::size_t length) : graph_(graph), left_(length) {}

  void add(const std::string& type, const std::vector<std::string>& weights,
           const std::string& attribute = {}) {
    const auto name = fmt::format("{}_{}", type, ++count_);
    const auto output = --left_ == 0 ? "output" : name + "_output";
    Message node;
    node.bytes(kNodeInput, value_);
    for (const auto& weight : weights) node.bytes(kNodeInput, weight);
    node.bytes(kNodeOutput, output).bytes(kNodeName, name).bytes(kNodeOperator, type);
    if (!attribute.empty()) {  // each that is used here is 1
      node.message(kNodeAttribute, Message()
                                       .bytes(kAttributeName, attribute)
                                       .integer(kAttributeInteger, 1)
                                       .integer(kAttributeType, kIntegerAttribute));
    }
    graph_.message(kGraphNode, node);
    value_ = output;
  }

 private:
  Message& graph_;
  std::size_t left_;
  int count_ = 0;
  std::string value_ = "input";
};

// Any number of rows, of floats in this shape.
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
Message graph_of(const OnnxNetwork& network) {
  std::size_t operators = 1 + (network.log_softmax ? 1 : 0);
  for (const auto& layer : network.layers)
    operators += (layer.weight_name.empty() ? 0 : 1) + (layer.relu ? 1 : 0);
  Message graph;
  Chain chain(graph, operators);
  chain.add("Flatten", {}, "axis");
  for (const auto& layer : network.layers) {
    std::vector<std::string> weights{layer.weight_name};
    if (!layer.bias_name.empty()) weights.push_back(layer.bias_name);
    if (!layer.weight_name.empty()) chain.add("Gemm", weights, "transB");
    if (layer.relu) chain.add("Relu", {});
  }
  if (network.log_softmax) chain.add("LogSoftmax", {}, "axis");
  const std::int64_t classes[] = {network.layers.back().outputs};
  graph.bytes(kGraphName, "warpfit")
      .message(kGraphInput, batch_of("input", network.sample_shape))
      .message(kGraphOutput, batch_of("output", classes));
  return graph;
}

// A graph's field up to the raw data that ends it; that data is written from where it lies.
struct Initializer {
  std::string head;
  std::span<const std::byte> data;
};

Initializer initializer(const std::string& name, const std::vector<std::int64_t>& shape,
                        std::span<const float> values) {
  const auto data = std::as_bytes(values);
  Message tensor;
  for (const auto dimension : shape) tensor.integer(kTensorDimension, dimension);
  tensor.integer(kTensorType, kFloat).bytes(kTensorName, name).start_bytes(kTensorRawData, data.size());
  return {Message().start_bytes(kGraphInitializer, tensor.text().size() + data.size()).text() + tensor.text(),
          data};
}

}  // namespace

void write_onnx(const std::string& path, const OnnxNetwork& network) {
  check_network(network, path);
  std::vector<Initializer> initializers;
  for (const auto& layer : network.layers) {
    if (layer.weight_name.empty()) continue;
    initializers.push_back(initializer(layer.weight_name, {layer.outputs, layer.inputs}, layer.w));
    if (!layer.bias_name.empty())
      initializers.push_back(initializer(layer.bias_name, {layer.outputs}, layer.b));
  }
  const auto graph = graph_of(network);
  std::uint64_t graph_size = graph.text().size();
  for (const auto& each : initializers) graph_size += each.head.size() + each.data.size();

  Message model;
  model.integer(kModelIrVersion, kIrVersion)
      .bytes(kModelProducer, "warpfit")
      .bytes(kModelProducerVersion, network.producer_version)
      .message(kModelOperatorSet,
               Message().bytes(kOperatorSetDomain, "").integer(kOperatorSetVersion, kOperatorSet));
  for (const auto& [key, value] : network.metadata) {
    check_text(key, path);
    check_text(value, path);
    model.message(kModelMetadata, Message().bytes(kEntryKey, key).bytes(kEntryValue, value));
  }
  model.start_bytes(kModelGraph, graph_size);
  const std::uint64_t size = model.text().size() + graph_size;
  if (size > kMostBytes) {
    throw ModelError(
        fmt::format("{}: cannot write {} bytes, expected at most {} for ONNX in one file; write "
                    "safetensors instead",
                    path, size, kMostBytes));
  }

  AtomicFile file(path);
  file.write(model.text());
  file.write(graph.text());
  for (const auto& each : initializers) {
    file.write(each.head);
    file.write(each.data);
  }
  file.commit();
}

}  // namespace warpfit
