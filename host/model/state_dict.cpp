#include "host/model/state_dict.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "host/base/error.hpp"
#include "host/base/listing.hpp"
#include "host/base/shown.hpp"
#include "host/files/float_tensor.hpp"
#include "host/model/network_plan.hpp"
#include "host/model/tensor_names.hpp"

namespace warpfit {
namespace {

struct LinearTensors {
  const StoredTensor* weight;
  const StoredTensor* bias;  // null if the layer has none

  [[nodiscard]] std::int64_t inputs() const { return weight->shape[1]; }
  [[nodiscard]] std::int64_t outputs() const { return weight->shape[0]; }
};

[[noreturn]] void refuse(const SafetensorsFile& file, const StoredTensor& tensor,
                         const std::string& expected) {
  throw ModelError(fmt::format("{}: tensor {} is {} ({}), expected {}", file.path(), shown(tensor.name),
                               dtype_name(tensor.dtype), fmt::join(tensor.shape, ", "), expected));
}

// "fc" for "fc.weight" if `kind` is "weight"; "" for "weight"; nothing for other names.
std::optional<std::string> module_of(std::string_view name, std::string_view kind) {
  if (!name.ends_with(kind)) return std::nullopt;
  name.remove_suffix(kind.size());
  if (name.empty()) return "";
  if (!name.ends_with('.')) return std::nullopt;
  return std::string(name.substr(0, name.size() - 1));
}

std::string name_in(const std::string& module, std::string_view kind) {
  return module.empty() ? std::string(kind) : fmt::format("{}.{}", module, kind);
}

LinearTensors linear_of(const SafetensorsFile& file, const StoredTensor& weight, const std::string& module) {
  if (weight.shape.size() != 2 || !is_floating_point(weight.dtype)) {
    refuse(file, weight,
           "floating-point numbers (outputs, inputs), as nn.Linear's weight; eval and predict read other "
           "layers if --network names them");
  }
  const auto* bias = file.find(name_in(module, "bias"));
  if (bias != nullptr && (bias->shape != std::vector{weight.shape[0]} || !is_floating_point(bias->dtype)))
    refuse(file, *bias, fmt::format("floating-point numbers ({})", weight.shape[0]));
  return {&weight, bias};
}

bool is_chain(const std::vector<LinearTensors>& layers) {
  for (std::size_t i = 1; i < layers.size(); ++i) {
    if (layers[i].inputs() != layers[i - 1].outputs()) return false;
  }
  return true;
}

// Finds the only order of the layers in which the inputs of each are the outputs of the layer before it.
class ChainSearch {
 public:
  explicit ChainSearch(std::vector<LinearTensors> layers) : layers_(std::move(layers)) {}

  // No value if there is no such order, or more than one.
  std::optional<std::vector<LinearTensors>> order() {
    constexpr std::size_t kMaxLayers = 32;
    if (layers_.size() > kMaxLayers) return std::nullopt;
    used_.assign(layers_.size(), false);
    extend();
    if (found_ != 1 || steps_ > kMaxSteps) return std::nullopt;
    return order_;
  }

 private:
  static constexpr int kMaxSteps = 100'000;  // limits the search if many orders fit

  void extend() {
    if (++steps_ > kMaxSteps || found_ > 1) return;
    if (path_.size() == layers_.size()) {
      ++found_;
      order_ = path_;
      return;
    }
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      if (used_[i] || (!path_.empty() && path_.back().outputs() != layers_[i].inputs())) continue;
      used_[i] = true;
      path_.push_back(layers_[i]);
      extend();
      path_.pop_back();
      used_[i] = false;
    }
  }

  std::vector<LinearTensors> layers_, path_, order_;
  std::vector<bool> used_;
  int found_ = 0;
  int steps_ = 0;
};

std::string order_text(const std::vector<LinearTensors>& layers) {
  constexpr std::size_t kMaxNamed = 10;
  return listing(layers, kMaxNamed, [](const auto& layer) { return shown(layer.weight->name); });
}

bool has_digit(const LinearTensors& layer) {
  return std::ranges::any_of(layer.weight->name, [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::vector<LinearTensors> in_order(const SafetensorsFile& file, std::vector<LinearTensors> layers,
                                    StateDict& dict) {
  std::ranges::sort(
      layers, [](const auto& a, const auto& b) { return natural_less(a.weight->name, b.weight->name); });
  if (is_chain(layers)) {
    if (!std::ranges::all_of(layers, has_digit) && !ChainSearch(layers).order()) {
      dict.warning = fmt::format(
          "{}: the layers are taken in the order of their names, {}; their shapes fit together in other "
          "orders, too",
          file.path(), order_text(layers));
    }
    return layers;
  }
  if (auto ordered = ChainSearch(layers).order()) {
    dict.note = fmt::format("{}: the layers are taken in the only order that fits their shapes, {}",
                            file.path(), order_text(*ordered));
    return *ordered;
  }
  const auto wrong = std::ranges::adjacent_find(
      layers, [](const auto& a, const auto& b) { return a.outputs() != b.inputs(); });
  refuse(file, *wrong[1].weight,
         fmt::format(
             "{} inputs, the number of outputs of {}; there is also no unique order in which all layers fit",
             wrong[0].outputs(), shown(wrong[0].weight->name)));
}

// Written as widths if all layers have a bias.
NetworkSpec network_of(const std::vector<LinearTensors>& layers) {
  std::vector<std::int64_t> widths{layers.front().inputs()};
  NetworkSpec spec;
  for (const auto& layer : layers) {
    widths.push_back(layer.outputs());
    if (!spec.layers.empty()) spec.layers.emplace_back(Activation{});
    spec.layers.emplace_back(Linear{layer.outputs(), layer.bias != nullptr});
  }
  const bool has_biases =
      std::ranges::all_of(layers, [](const auto& layer) { return layer.bias != nullptr; });
  return has_biases ? parse_network(fmt::format("{}", fmt::join(widths, "-"))) : spec;
}

}  // namespace

StateDict state_dict_of(const SafetensorsFile& file) {
  std::vector<LinearTensors> layers;
  StateDict dict;
  for (const auto& tensor : file.tensors()) {
    if (const auto module = module_of(tensor.name, "weight")) {
      layers.push_back(linear_of(file, tensor, *module));
    } else if (const auto of_bias = module_of(tensor.name, "bias")) {
      if (file.find(name_in(*of_bias, "weight")) == nullptr)
        refuse(file, tensor, fmt::format("{} next to it", shown(name_in(*of_bias, "weight"))));
    } else if (module_of(tensor.name, "running_mean") || module_of(tensor.name, "running_var")) {
      refuse(file, tensor,
             "weights and biases of nn.Linear; eval and predict read other layers if --network names them");
    } else if (tensor.shape.size() > 1 && is_floating_point(tensor.dtype)) {
      refuse(file, tensor,
             "weights and biases of nn.Linear; eval and predict read other layers if --network names them");
    } else {
      dict.ignored.push_back(tensor.name);
    }
  }
  if (layers.empty()) throw ModelError(fmt::format("{}: no weights in it", file.path()));
  layers = in_order(file, std::move(layers), dict);
  for (const auto& layer : layers) {
    dict.names.push_back(layer.weight->name);
    if (layer.bias != nullptr) dict.names.push_back(layer.bias->name);
  }
  dict.inputs = layers.front().inputs();
  try {
    dict.network = network_of(layers);
    plan_network(dict.network, shape_of(std::vector{dict.inputs}));  // checks its limits
  } catch (const UsageError& error) {
    throw ModelError(fmt::format("{}: {}", file.path(), error.what()));
  }
  return dict;
}

}  // namespace warpfit
