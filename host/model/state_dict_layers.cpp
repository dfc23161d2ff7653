#include "host/model/state_dict_layers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/listing.hpp"
#include "host/base/shown.hpp"
#include "host/model/stored_values.hpp"
#include "host/model/tensor_names.hpp"

namespace warpfit {
namespace {

std::string_view module_of(std::string_view name) {
  const auto dot = name.rfind('.');
  return dot == name.npos ? "" : name.substr(0, dot);
}
std::string_view attribute_of(std::string_view name) { return name.substr(name.rfind('.') + 1); }

// A module of the file, or a layer's tensors in the plan.
template <class Tensor>
struct Module {
  std::string_view name;
  std::vector<const Tensor*> tensors;
};

using StoredModule = Module<StoredTensor>;
using PlannedModule = Module<PlannedTensor>;

std::vector<StoredModule> modules_of(const SafetensorsFile& file) {
  std::vector<StoredModule> modules;
  for (const auto& tensor : file.tensors()) {
    const auto name = module_of(tensor.name);
    auto found = std::ranges::find(modules, name, &StoredModule::name);
    if (found == modules.end()) found = modules.insert(found, {name, {}});
    found->tensors.push_back(&tensor);
  }
  std::ranges::sort(modules, natural_less, &StoredModule::name);
  return modules;
}

PlannedModule module_of(const NetworkPlan& plan, const Node& node) {
  PlannedModule module;
  for (std::size_t i = 0; i < node.tensors; ++i)
    module.tensors.push_back(&plan.tensors[node.first_tensor + i]);
  for (std::size_t i = 0; i < node.states; ++i) module.tensors.push_back(&plan.state[node.first_state + i]);
  return module;
}

const StoredTensor* find(const StoredModule& stored, const PlannedTensor& planned) {
  const auto found = std::ranges::find(stored.tensors, attribute_of(planned.name),
                                       [](const auto* tensor) { return attribute_of(tensor->name); });
  return found == stored.tensors.end() ? nullptr : *found;
}

bool matches(const StoredModule& stored, const PlannedModule& planned) {
  return stored.tensors.size() == planned.tensors.size() &&
         std::ranges::all_of(planned.tensors, [&](const auto* tensor) {
           const auto* found = find(stored, *tensor);
           return found != nullptr && fits(*found, *tensor);
         });
}

std::string text_of(const PlannedModule& module) {
  std::string text;
  for (const auto* tensor : module.tensors) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", attribute_of(tensor->name),
                        fmt::join(tensor->shape, ", "));
  }
  return text;
}

}  // namespace

Model load_state_dict(const std::string& path, const std::string& network,
                      std::span<const std::int64_t> sample_shape) {
  const SafetensorsFile file(path);
  Model model;
  if (is_own_model(file)) {
    throw UsageError(
        fmt::format("--network {}: {} is a model of warpfit, which names its network itself", network, path));
  }
  model.info.network = parse_network(network);
  model.info.sample_shape.assign(sample_shape.begin(), sample_shape.end());
  model.info.names = "";
  const auto plan = plan_of(model.info);
  auto modules = modules_of(file);
  const auto found_for = [&](const Node& node) {
    const auto planned = module_of(plan, node);
    const auto found =
        std::ranges::find_if(modules, [&](const auto& stored) { return matches(stored, planned); });
    if (found != modules.end()) return found;
    throw ModelError(fmt::format("{}: no module for layer {}, with the tensors {} and no others", path,
                                 std::visit([](const auto& layer) { return text_of(layer); }, node.layer),
                                 text_of(planned)));
  };
  std::vector<std::pair<const StoredTensor*, const PlannedTensor*>> pairs;
  for (const auto& node : plan.nodes) {
    if (node.tensors + node.states == 0) continue;
    const auto found = found_for(node);
    for (const auto* tensor : module_of(plan, node).tensors)
      pairs.emplace_back(find(*found, *tensor), tensor);
    modules.erase(found);
  }
  if (!modules.empty()) {
    constexpr std::size_t kMaxNamed = 5;
    throw ModelError(fmt::format(
        "{}: the network {} has no layer for {}", path, model.info.network.text(),
        listing(modules, kMaxNamed, [](const auto& module) { return shown(module.tensors.front()->name); })));
  }
  model.parameters.resize(plan.floats);
  model.state.resize(plan.state_floats);
  for (const auto& [stored, planned] : pairs) {
    auto& flat = is_trained(planned->role) ? model.parameters : model.state;
    read_values(file, *stored, *planned, planned->in(std::span(flat)));
  }
  return model;
}

}  // namespace warpfit
