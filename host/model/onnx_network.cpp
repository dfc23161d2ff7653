#include "host/model/onnx_network.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numbers>
#include <utility>

namespace warpfit {
namespace {

using Integers = std::vector<std::int64_t>;

// The constants of GELU, which are scalar tensors.
struct Constant {
  const char* name;
  float value;
};
constexpr std::array<Constant, 3> kGelu{
    {{"gelu_root_of_2", std::numbers::sqrt2_v<float>}, {"gelu_one", 1}, {"gelu_half", 0.5F}}};

// Whether the layer computes something else from an image than from a vector with the same values. Batch
// normalization of images of one pixel does not; they follow a layer that does.
bool needs_image(const Node& node) {
  const bool is_norm = std::holds_alternative<BatchNorm>(node.layer);
  return std::holds_alternative<Conv>(node.layer) || std::holds_alternative<Pool>(node.layer) ||
         (is_norm && !node.in.is_vector());
}

// The attributes of windows that are the same along rows and columns.
std::vector<OnnxAttribute> windows(std::int64_t kernel, std::int64_t stride, Padding padding) {
  return {{"kernel_shape", Integers{kernel, kernel}},
          {"strides", Integers{stride, stride}},
          {"pads",
           Integers{padding.begin, padding.begin, padding.end, padding.end}}};  // above, left, below, right
}

// Appends the operators of one layer after another to a graph.
class Translation {
 public:
  explicit Translation(const Model& model)
      : model_(model), plan_(plan_of(model.info)), names_(parameter_names(model.info)) {
    for (auto& tensor : state_tensors(model.info, model.state).tensors)
      state_names_.push_back(std::move(tensor.name));
  }

  OnnxGraph graph() && {
    graph_.sample_shape = model_.info.sample_shape;
    graph_.output_shape = {plan_.classes()};
    graph_.metadata = metadata_of(model_.info);
    graph_.metadata.erase("format");  // belongs to safetensors
    begin();
    for (const auto& node : plan_.nodes) std::visit([&](const auto& layer) { add(node, layer); }, node.layer);
    for (std::size_t i = 0; has_gelu_ && i < kGelu.size(); ++i)
      graph_.tensors.push_back({kGelu[i].name, {}, std::span(&kGelu[i].value, 1)});
    flatten();
    if (model_.info.log_softmax) append("LogSoftmax", {}, {{"axis", 1}});
    return std::move(graph_);
  }

 private:
  void append(std::string type, std::vector<std::string> inputs = {},
              std::vector<OnnxAttribute> attributes = {}) {
    graph_.operators.push_back({std::move(type), std::move(inputs), std::move(attributes)});
  }

  // What the layers expect from the samples. The graph refers to the numbers of the model's description.
  void normalize() {
    const auto& normalization = model_.info.normalization;
    if (normalization.channels == 0) return;
    const auto shape = graph_.sample_shape.size() == 3 ? Integers{normalization.channels, 1, 1} : Integers{};
    const auto count = static_cast<std::size_t>(normalization.channels);
    graph_.tensors.push_back({"normalize_mean", shape, std::span(normalization.means).first(count)});
    graph_.tensors.push_back({"normalize_std", shape, std::span(normalization.deviations).first(count)});
    append("Sub", {"normalize_mean"});
    append("Div", {"normalize_std"});
  }
  void begin() {
    normalize();
    if (std::ranges::none_of(plan_.nodes, needs_image)) {
      flatten();
    } else if (graph_.sample_shape.size() != 3) {
      const auto& [channels, height, width] = plan_.sample;
      graph_.tensors.push_back({"image_shape", {4}, Integers{0, channels, height, width}});  // 0: the batch's
      append("Reshape", {"image_shape"});
    }
  }

  void flatten() {
    if (is_flat_) return;
    append("Flatten", {}, {{"axis", 1}});
    is_flat_ = true;
  }

  // Adds a trained tensor of the node to the graph and returns its name.
  std::string tensor(const Node& node, std::size_t number) {
    const auto i = node.first_tensor + number;
    const auto& planned = plan_.tensors[i];
    graph_.tensors.push_back({names_[i], planned.shape, planned.in(std::span(model_.parameters))});
    return names_[i];
  }
  std::string state(const Node& node, std::size_t number) {
    const auto i = node.first_state + number;
    const auto& planned = plan_.state[i];
    graph_.tensors.push_back({state_names_[i], planned.shape, planned.in(std::span(model_.state))});
    return state_names_[i];
  }
  // The weight and, if there is one, the bias.
  std::vector<std::string> tensors(const Node& node) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < node.tensors; ++i) names.push_back(tensor(node, i));
    return names;
  }

  void add(const Node& node, const Linear&) { append("Gemm", tensors(node), {{"transB", 1}}); }

  void add(const Node& node, const Conv& layer) {
    auto attributes = windows(layer.kernel, layer.stride, padding_of(layer));
    attributes.push_back({"dilations", Integers{layer.dilation, layer.dilation}});
    attributes.push_back({"group", layer.groups});
    append("Conv", tensors(node), std::move(attributes));
  }

  void add(const Node&, const Pool& layer) {
    if (layer.is_global) return append("GlobalAveragePool");
    auto attributes = windows(layer.kernel, layer.stride, {layer.padding, layer.padding});
    if (layer.kind == PoolKind::kMax) return append("MaxPool", {}, std::move(attributes));
    attributes.push_back({"count_include_pad", 1});
    append("AveragePool", {}, std::move(attributes));
  }

  void add(const Node& node, const BatchNorm& layer) {
    auto inputs = tensors(node);
    for (std::size_t i = 0; i < 2; ++i) inputs.push_back(state(node, i));  // mean and variance
    append("BatchNormalization", std::move(inputs), {{"epsilon", static_cast<float>(layer.eps)}});
  }

  void add(const Node&, const Flatten&) { flatten(); }
  void add(const Node&, const Dropout&) {}

  void add(const Node&, const ResidualBegin&) { blocks_.push_back(newest_value(graph_)); }
  void add(const Node&, const ResidualEnd&) {
    append("Add", {blocks_.back()});
    blocks_.pop_back();
  }

  void add(const Node&, const Activation& layer) {
    const auto& name = name_of(layer);
    const auto x = newest_value(graph_);
    if (layer.kind == ActivationKind::kGelu) {  // x / sqrt(2) -> erf -> + 1 -> * x -> / 2
      has_gelu_ = true;
      append("Div", {kGelu[0].name});
      append("Erf");
      append("Add", {kGelu[1].name});
      append("Mul", {x});
      append("Mul", {kGelu[2].name});
    } else if (layer.kind == ActivationKind::kSilu) {  // x * sigmoid(x)
      append("Sigmoid");
      append("Mul", {x});
    } else if (name.parameter.empty()) {
      append(std::string(name.onnx));
    } else {
      append(std::string(name.onnx), {}, {{"alpha", layer.parameter}});
    }
  }

  const Model& model_;
  NetworkPlan plan_;
  std::vector<std::string> names_, state_names_;
  std::vector<std::string> blocks_;  ///< the inputs of the residual blocks around the layer
  OnnxGraph graph_;
  bool is_flat_ = false;   ///< whether the newest value is a vector for each sample
  bool has_gelu_ = false;  ///< whether an operator reads the constants of GELU
};

}  // namespace

OnnxGraph onnx_graph_of(const Model& model) { return Translation(model).graph(); }

}  // namespace warpfit
