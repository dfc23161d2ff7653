#include "host/model/warm_start.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "host/base/error.hpp"
#include "host/base/shown.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/model/stored_values.hpp"
#include "host/model/tensor_names.hpp"

namespace warpfit {
namespace {

// Tensors can also be found by their names without wrapper prefixes; a tensor's full name takes precedence
// over another tensor's name without prefixes.
std::unordered_map<std::string_view, const StoredTensor*> tensors_by_name(const SafetensorsFile& file) {
  std::unordered_map<std::string_view, const StoredTensor*> tensors;
  for (const auto& tensor : file.tensors()) tensors.emplace(tensor.name, &tensor);
  for (const auto& tensor : file.tensors()) {
    for (const auto name : unwrapped_names(tensor.name)) tensors.emplace(name, &tensor);
  }
  return tensors;
}

std::string shape_text(const std::string& name, const std::vector<std::int64_t>& shape) {
  return fmt::format("{} ({})", name, shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, ", ")));
}

}  // namespace

WarmStart load_matching(const std::string& path, const ModelInfo& info, std::span<float> parameters,
                        std::span<float> state) {
  const SafetensorsFile file(path);
  const auto plan = plan_of(info);
  const auto by_name = tensors_by_name(file);
  std::unordered_set<const StoredTensor*> loaded;
  WarmStart result;
  const auto load = [&](std::span<const PlannedTensor> tensors, std::span<float> flat) {
    for (const auto& planned : tensors) {
      const auto name = info.names.empty() ? planned.name : fmt::format("{}.{}", info.names, planned.name);
      const auto values = planned.in(flat);
      const auto found = by_name.find(name);
      if (found == by_name.end() || !fits(*found->second, planned)) {
        result.missing.push_back(shape_text(name, planned.shape));
        continue;
      }
      read_values(file, *found->second, planned, values);
      if (const auto bad = not_finite(name, values); !bad.empty()) {
        throw ModelError(fmt::format(
            "{}: {}, expected finite numbers; use a model whose training did not diverge", path, bad));
      }
      result.loaded.push_back(name);
      loaded.insert(found->second);
    }
  };
  result.other_normalization =
      is_own_model(file) && normalization_text(file.metadata()) != normalization_text(metadata_of(info));
  load(plan.tensors, parameters);
  if (!state.empty()) load(plan.state, state);
  for (const auto& tensor : file.tensors()) {
    if (!loaded.contains(&tensor)) {
      result.unexpected.push_back(shape_text(shown(tensor.name), tensor.shape));
    }
  }
  if (result.loaded.empty()) {
    throw ModelError(
        fmt::format("{}: no tensor matches by name and shape; expected {} ({}) and so on, or name "
                    "the module with --names",
                    path, parameter_names(info).front(), fmt::join(plan.tensors.front().shape, ", ")));
  }
  return result;
}

}  // namespace warpfit
