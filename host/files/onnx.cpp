#include "host/files/onnx.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numbers>
#include <optional>

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
constexpr std::int64_t kFloatAttribute = 1;    // AttributeProto.AttributeType.FLOAT
constexpr std::int64_t kIntegerAttribute = 2;  // AttributeProto.AttributeType.INT
constexpr std::uint64_t kMaxBytes = std::numeric_limits<std::int32_t>::max();

// Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
constexpr int kModelIrVersion = 1, kModelProducer = 2, kModelProducerVersion = 3, kModelGraph = 7,
              kModelOperatorSet = 8, kModelMetadata = 14;
constexpr int kOperatorSetDomain = 1, kOperatorSetVersion = 2;
constexpr int kEntryKey = 1, kEntryValue = 2;
constexpr int kGraphNode = 1, kGraphName = 2, kGraphInitializer = 5, kGraphInput = 11, kGraphOutput = 12;
constexpr int kNodeInput = 1, kNodeOutput = 2, kNodeName = 3, kNodeOperator = 4, kNodeAttribute = 5;
constexpr int kAttributeName = 1, kAttributeFloat = 2, kAttributeInteger = 3, kAttributeType = 20;
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
    const auto& norm = layer.normalization;
    const bool norm_fits = !norm || (!has_product && layer.activation.empty() &&
                                     std::ranges::all_of(norm->values, [&](auto values) {
                                       return values.size() == static_cast<std::size_t>(layer.outputs);
                                     }));
    const bool fits = norm_fits && layer.inputs == inputs && layer.outputs > 0 &&
                      weights == layer.w.size_bytes() && layer.b.size() == static_cast<std::size_t>(biases) &&
                      (has_product || (layer.inputs == layer.outputs && layer.bias_name.empty()));
    if (!fits) {
      throw InternalError(fmt::format(
          "{}: cannot write layer '{}': its {} inputs, {} outputs, {} weights and {} biases do not match "
          "each other or the {} values that are its input",
          path, layer.weight_name, layer.inputs, layer.outputs, layer.w.size(), layer.b.size(), inputs));
    }
    inputs = layer.outputs;
  }
}

Message integer_attribute(const std::string& name) {  // all integer attributes used here are 1
  return Message()
      .bytes(kAttributeName, name)
      .integer(kAttributeInteger, 1)
      .integer(kAttributeType, kIntegerAttribute);
}

Message float_attribute(const std::string& name, float value) {
  return Message()
      .bytes(kAttributeName, name)
      .number(kAttributeFloat, value)
      .integer(kAttributeType, kFloatAttribute);
}

// Constants of GELU: scalar initializers.
const std::string kRootOf2 = "gelu_root_of_2", kOne = "gelu_one", kHalf = "gelu_half";

// The operators of a network. Each reads the output of the one before it; the output of the last one is the
// graph's output.
class Operators {
 public:
  /// `weights`: the operator's inputs after the output of the previous operator.
  void add(const std::string& type, std::vector<std::string> weights, std::optional<Message> attribute = {}) {
    weights.insert(weights.begin(), newest());
    nodes_.push_back({type, std::move(weights), std::move(attribute)});
  }

  void add_activation(const std::string& type, std::optional<float> alpha) {
    const auto x = newest();
    if (type == "Gelu") {  // x / 2 * (1 + erf(x / sqrt(2)))
      add("Div", {kRootOf2});
      add("Erf", {});
      add("Add", {kOne});
      add("Mul", {x});
      add("Mul", {kHalf});
    } else if (type == "Silu") {  // x * sigmoid(x)
      add("Sigmoid", {});
      add("Mul", {x});
    } else {
      add(type, {}, alpha ? std::optional(float_attribute("alpha", *alpha)) : std::nullopt);
    }
  }

  void write_to(Message& graph) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const auto& [type, inputs, attribute] = nodes_[i];
      Message node;
      for (const auto& input : inputs) node.bytes(kNodeInput, input);
      node.bytes(kNodeOutput, i + 1 == nodes_.size() ? "output" : name_of(i) + "_output")
          .bytes(kNodeName, name_of(i))
          .bytes(kNodeOperator, type);
      if (attribute) node.message(kNodeAttribute, *attribute);
      graph.message(kGraphNode, node);
    }
  }

 private:
  struct Node {
    std::string type;
    std::vector<std::string> inputs;
    std::optional<Message> attribute;
  };

  [[nodiscard]] std::string name_of(std::size_t node) const {
    return fmt::format("{}_{}", nodes_[node].type, node + 1);
  }
  [[nodiscard]] std::string newest() const {
    return nodes_.empty() ? "input" : name_of(nodes_.size() - 1) + "_output";
  }

  std::vector<Node> nodes_;
};

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
Message graph_of(const OnnxNetwork& network) {
  Operators operators;
  operators.add("Flatten", {}, integer_attribute("axis"));
  for (const auto& layer : network.layers) {
    std::vector<std::string> weights{layer.weight_name};
    if (!layer.bias_name.empty()) weights.push_back(layer.bias_name);
    if (!layer.weight_name.empty()) operators.add("Gemm", weights, integer_attribute("transB"));
    if (layer.normalization) {
      operators.add("BatchNormalization",
                    {layer.normalization->names.begin(), layer.normalization->names.end()},
                    float_attribute("epsilon", static_cast<float>(layer.normalization->eps)));
    }
    if (!layer.activation.empty()) operators.add_activation(layer.activation, layer.alpha);
  }
  if (network.log_softmax) operators.add("LogSoftmax", {}, integer_attribute("axis"));
  Message graph;
  operators.write_to(graph);
  const std::int64_t classes[] = {network.layers.back().outputs};
  graph.bytes(kGraphName, "warpfit")
      .message(kGraphInput, batch_of("input", network.sample_shape))
      .message(kGraphOutput, batch_of("output", classes));
  return graph;
}

// The bytes of a graph's initializer field up to its raw data, which is written without copying it.
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
    for (std::size_t i = 0; layer.normalization && i < layer.normalization->names.size(); ++i) {
      initializers.push_back(
          initializer(layer.normalization->names[i], {layer.outputs}, layer.normalization->values[i]));
    }
    if (layer.weight_name.empty()) continue;
    initializers.push_back(initializer(layer.weight_name, {layer.outputs, layer.inputs}, layer.w));
    if (!layer.bias_name.empty())
      initializers.push_back(initializer(layer.bias_name, {layer.outputs}, layer.b));
  }
  const auto is_gelu = [](const OnnxNetwork::Layer& layer) { return layer.activation == "Gelu"; };
  const std::array<float, 3> constants{std::numbers::sqrt2_v<float>, 1.0F, 0.5F};
  if (std::ranges::any_of(network.layers, is_gelu)) {
    const std::array names{kRootOf2, kOne, kHalf};
    for (std::size_t i = 0; i < names.size(); ++i)
      initializers.push_back(initializer(names[i], {}, std::span(constants).subspan(i, 1)));
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
  if (size > kMaxBytes) {
    throw ModelError(
        fmt::format("{}: cannot write {} bytes, expected at most {} for ONNX in one file; write "
                    "safetensors instead",
                    path, size, kMaxBytes));
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
