#include "host/model/warm_start.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "host/base/error.hpp"
#include "host/base/shown.hpp"
#include "host/files/float_tensor.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/model/tensor_names.hpp"

namespace warpfit {
namespace {

// Also under the names without prefixes of wrappers; a tensor's own name goes before what others would be
// called.
std::unordered_map<std::string_view, const StoredTensor*> tensors_by_name(const SafetensorsFile& file) {
  std::unordered_map<std::string_view, const StoredTensor*> tensors;
  for (const auto& tensor : file.tensors()) tensors.emplace(tensor.name, &tensor);
  for (const auto& tensor : file.tensors()) {
    for (const auto name : unwrapped_names(tensor.name)) tensors.emplace(name, &tensor);
  }
  return tensors;
}

}  // namespace

WarmStart load_matching(const std::string& path, const ModelInfo& info, std::span<float> parameters) {
  const SafetensorsFile file(path);
  const auto plan = plan_of(info);
  const auto names = parameter_names(info);
  const auto by_name = tensors_by_name(file);
  std::unordered_set<const StoredTensor*> loaded;
  WarmStart result;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& shape = plan.tensors[i].shape;
    const auto values = plan.tensors[i].in(parameters);
    const auto found = by_name.find(names[i]);
    if (found != by_name.end() && is_floating_point(found->second->dtype) && found->second->shape == shape) {
      read_floats(file, *found->second, values);
      if (const auto bad = not_finite(names[i], values); !bad.empty()) {
        throw ModelError(fmt::format(
            "{}: {}, expected finite numbers; use a model whose training did not diverge", path, bad));
      }
      result.loaded.push_back(names[i]);
      loaded.insert(found->second);
    } else {
      result.missing.push_back(fmt::format("{} ({})", names[i], fmt::join(shape, ", ")));
    }
  }
  for (const auto& tensor : file.tensors()) {
    if (!loaded.contains(&tensor)) {
      result.unexpected.push_back(fmt::format("{} ({})", shown(tensor.name), fmt::join(tensor.shape, ", ")));
    }
  }
  if (result.loaded.empty()) {
    throw ModelError(
        fmt::format("{}: no tensor matches by name and shape; expected {} ({}) and so on, or name "
                    "the module with --names",
                    path, names.front(), fmt::join(plan.tensors.front().shape, ", ")));
  }
  return result;
}

}  // namespace warpfit
