#include "host/model/model_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <unordered_set>
#include <utility>

#include "host/base/error.hpp"
#include "host/base/listing.hpp"
#include "host/base/shown.hpp"
#include "host/base/utf8.hpp"
#include "host/files/float_tensor.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/files/safetensors_writer.hpp"
#include "host/model/state_dict.hpp"
#include "host/model/stored_values.hpp"
#include "host/model/tensor_names.hpp"

namespace warpfit {
namespace {

// Reads these tensors into a buffer with the plan's layout; `names`: their names in the file.
std::vector<float> read_tensors(const SafetensorsFile& file, const ModelInfo& info,
                                std::span<const PlannedTensor> planned, std::size_t floats,
                                const std::vector<std::string>& names) {
  std::vector<const StoredTensor*> tensors;
  for (std::size_t i = 0; i < names.size(); ++i) {
    tensors.push_back(file.find(names[i]));
    if (tensors.back() == nullptr || !fits(*tensors.back(), planned[i])) {
      throw ModelError(fmt::format("{}: no tensor {}, which its network {} needs", file.path(),
                                   description(planned[i], names[i]), info.network.text()));
    }
  }
  // Allocated only now: the file's size limits the tensors in it, but not the size of the network that it
  // names.
  std::vector<float> flat(floats);
  for (std::size_t i = 0; i < tensors.size(); ++i)
    read_values(file, *tensors[i], planned[i], planned[i].in(std::span(flat)));
  return flat;
}

// The full names of the plan's tensors, with the name of the module that holds the layers.
std::vector<std::string> names_in(std::span<const PlannedTensor> tensors, const ModelInfo& info) {
  const std::string prefix = info.names + (info.names.empty() ? "" : ".");
  std::vector<std::string> names;
  for (const auto& tensor : tensors) names.push_back(prefix + tensor.name);
  return names;
}

// "net" if these are the names of the tensors of an nn.Sequential without Dropout in the attribute `net`,
// ignoring wrappers; otherwise info.names.
std::string module_of(const ModelInfo& info, std::vector<std::string> names) {
  constexpr std::string_view kFirst = "0.weight";
  for (auto& name : names) name = without_wrappers(name);
  if (!names.front().ends_with(kFirst)) return info.names;
  ModelInfo guess = info;
  guess.names = names.front().substr(0, names.front().size() - kFirst.size());
  if (guess.names.ends_with('.')) guess.names.pop_back();
  return parameter_names(guess) == names ? guess.names : info.names;
}

// Tensors that are not part of the network would be lost without notice.
void refuse_others(const SafetensorsFile& file, const ModelInfo& info,
                   const std::vector<std::string>& names) {
  const auto state = names_in(plan_of(info).state, info);
  std::unordered_set<std::string_view> known(names.begin(), names.end());
  known.insert(state.begin(), state.end());
  for (const auto& tensor : file.tensors()) {
    if (tensor.name.starts_with(kOptimizerPrefix) || known.contains(tensor.name)) continue;
    throw ModelError(fmt::format("{}: tensor {} is not part of its network {}", file.path(),
                                 shown(tensor.name), info.network.text()));
  }
}

// "4 tensors converted from F16 to F32" for each type other than float32.
std::vector<std::string> conversion_notes(const SafetensorsFile& file,
                                          const std::vector<std::string>& names) {
  std::map<DType, std::size_t> counts;
  for (const auto& name : names) ++counts[file.find(name)->dtype];
  std::vector<std::string> notes;
  for (const auto& [dtype, count] : counts) {
    if (dtype != DType::kF32 && is_floating_point(dtype))
      notes.push_back(
          fmt::format("{}: {} tensors converted from {} to F32", file.path(), count, dtype_name(dtype)));
  }
  return notes;
}

std::string ignored_note(const SafetensorsFile& file, const std::vector<std::string>& names) {
  constexpr std::size_t kMaxNamed = 5;
  return fmt::format("{}: these tensors belong to no layer and are ignored: {}", file.path(),
                     listing(names, kMaxNamed, shown));
}

}  // namespace

std::string not_finite(const std::string& name, std::span<const float> values) {
  const auto bad = std::ranges::find_if_not(values, [](float value) { return std::isfinite(value); });
  if (bad == values.end()) return "";
  return fmt::format("element {} of tensor {} is {}", bad - values.begin(), shown(name), *bad);
}

// In an npz file the names are paths in an archive; names of optimizer state are reserved for checkpoints.
void check_names(std::string_view names) {
  const auto is_bad = [](char c) {
    return (static_cast<std::uint8_t>(c) < ' ') || c == '\x7f' || c == '/' || c == '\\';
  };
  const bool is_joined = !names.starts_with('.') && !names.ends_with('.') && names.find("..") == names.npos;
  const bool is_taken = fmt::format("{}.", names).starts_with(kOptimizerPrefix);
  if (is_joined && !is_taken && is_utf8(names) && std::ranges::none_of(names, is_bad)) return;
  throw UsageError(
      fmt::format("--names {}: expected an attribute of PyTorch's module, as in linear_relu_stack{}", names,
                  is_taken ? "; optimizer is for the state of optimizers" : ""));
}

std::vector<std::string> parameter_names(const ModelInfo& info) {
  return names_in(plan_of(info).tensors, info);
}

std::vector<TensorView> parameter_tensors(const ModelInfo& info, std::span<const float> parameters,
                                          const std::string& prefix) {
  const auto plan = plan_of(info);
  const auto names = names_in(plan.tensors, info);
  std::vector<TensorView> tensors;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& tensor = plan.tensors[i];
    tensors.push_back({prefix + names[i], DType::kF32, tensor.shape, std::as_bytes(tensor.in(parameters))});
  }
  return tensors;
}

std::string not_finite(const Model& model) {
  const auto plan = plan_of(model.info);
  const auto first_of = [&](std::span<const PlannedTensor> tensors, std::span<const float> flat) {
    const auto names = names_in(tensors, model.info);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (auto found = not_finite(names[i], tensors[i].in(flat)); !found.empty()) return found;
    }
    return std::string();
  };
  auto found = first_of(plan.tensors, model.parameters);
  return found.empty() ? first_of(plan.state, model.state) : found;
}

StateTensors state_tensors(const ModelInfo& info, std::span<const float> state) {
  const auto plan = plan_of(info);
  if (state.size() != plan.state_floats) throw InternalError("a model without its state");
  const auto names = names_in(plan.state, info);
  StateTensors result;
  result.counters.reserve(names.size());  // views refer to the elements
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& planned = plan.state[i];
    const auto values = planned.in(state);
    if (planned.role == TensorRole::kCounter) {
      const auto& count = result.counters.emplace_back(counter_value(values[0]));
      result.tensors.push_back({names[i], DType::kI64, planned.shape, std::as_bytes(std::span(&count, 1))});
    } else {
      result.tensors.push_back({names[i], DType::kF32, planned.shape, std::as_bytes(values)});
    }
  }
  return result;
}

void save_model(const FileLocation& location, const ModelInfo& info, std::span<const float> parameters,
                std::span<const float> state) {
  auto tensors = parameter_tensors(info, parameters);
  const auto more = state_tensors(info, state);
  tensors.insert(tensors.end(), more.tensors.begin(), more.tensors.end());
  write_safetensors(location, metadata_of(info), tensors);
}

Model load_model(const std::string& path) { return load_model(SafetensorsFile(path)); }

Model load_model(const SafetensorsFile& file) {
  Model model;
  std::vector<std::string> names;
  model.is_own = is_own_model(file);
  if (model.is_own) {
    model.info = read_model_info(file);
    names = parameter_names(model.info);
  } else {
    auto dict = state_dict_of(file);
    model.info.network = std::move(dict.network);
    model.info.sample_shape = {dict.inputs};
    names = std::move(dict.names);
    model.info.names = module_of(model.info, names);
    if (!dict.ignored.empty()) model.warnings.push_back(ignored_note(file, dict.ignored));
    if (!dict.warning.empty()) model.warnings.push_back(dict.warning);
    if (!dict.note.empty()) model.notes.push_back(dict.note);
  }
  const auto plan = plan_of(model.info);
  model.parameters = read_tensors(file, model.info, plan.tensors, plan.floats, names);
  model.state =
      read_tensors(file, model.info, plan.state, plan.state_floats, names_in(plan.state, model.info));
  if (model.is_own) refuse_others(file, model.info, names);
  std::ranges::copy(names_in(plan.state, model.info), std::back_inserter(names));
  std::ranges::move(conversion_notes(file, names), std::back_inserter(model.notes));
  return model;
}

std::vector<float> read_parameters(const SafetensorsFile& file, const ModelInfo& info,
                                   const std::string& prefix) {
  const auto plan = plan_of(info);
  auto names = names_in(plan.tensors, info);
  for (auto& name : names) name.insert(0, prefix);
  return read_tensors(file, info, plan.tensors, plan.floats, names);
}

}  // namespace warpfit
