#include "host/model/model_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/base/shown.hpp"
#include "host/base/utf8.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/files/safetensors_writer.hpp"
#include "host/model/state_dict.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kNetwork = "warpfit.network";
constexpr std::string_view kOutput = "warpfit.output";
constexpr std::string_view kSampleShape = "warpfit.sample_shape";
constexpr std::string_view kDropout = "warpfit.dropout";
constexpr std::string_view kNames = "warpfit.names";
constexpr std::int64_t kMaxSample = std::int64_t{1} << 31;  // values

const std::string& entry(const SafetensorsFile& file, std::string_view key) {
  const auto found = file.metadata().find(std::string(key));
  if (found == file.metadata().end()) {
    throw ModelError(
        fmt::format("{}: no {} in its metadata; expected a model of warpfit train", file.path(), key));
  }
  return found->second;
}

[[noreturn]] void refuse(const SafetensorsFile& file, std::string_view key, const std::string& expected) {
  throw ModelError(
      fmt::format("{}: {} is '{}', expected {}", file.path(), key, shown(entry(file, key)), expected));
}

std::vector<std::int64_t> sample_shape_of(const SafetensorsFile& file, std::optional<std::int64_t> inputs) {
  std::vector<std::int64_t> shape;
  std::string_view text = entry(file, kSampleShape);
  std::int64_t size = 1;
  while (true) {
    const auto end = std::min(text.find('x'), text.size());
    const auto extent = parse_number<std::int64_t>(text.substr(0, end));
    if (!extent || *extent < 1 || *extent > inputs.value_or(kMaxSample) / size) {
      refuse(file, kSampleShape,
             inputs ? fmt::format("extents that make {} inputs, as in 28x28", *inputs)
                    : "the extents of a sample, as in 28x28");
    }
    size *= *extent;
    shape.push_back(*extent);
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  if (inputs && size != *inputs) refuse(file, kSampleShape, fmt::format("{} inputs", *inputs));
  return shape;
}

ModelInfo info_of(const SafetensorsFile& file) {
  ModelInfo info;
  try {
    info.network = parse_network(entry(file, kNetwork));
  } catch (const UsageError& error) {
    throw ModelError(fmt::format("{}: {}: {}", file.path(), kNetwork, error.what()));
  }
  info.sample_shape = sample_shape_of(file, info.network.inputs);
  const auto& output = entry(file, kOutput);
  if (output != "logits" && output != "log_softmax") refuse(file, kOutput, "logits or log_softmax");
  info.log_softmax = output == "log_softmax";
  const auto dropout = parse_number<float>(entry(file, kDropout));
  if (!dropout || !(*dropout >= 0 && *dropout < 1)) refuse(file, kDropout, "a number from 0 to below 1");
  info.dropout = *dropout;
  info.names = entry(file, kNames);
  try {
    plan_of(info);
  } catch (const UsageError& error) {
    throw ModelError(fmt::format("{}: {}", file.path(), error.what()));
  }
  return info;
}

// `names`: of the plan's tensors, in their order.
std::vector<float> read_tensors(const SafetensorsFile& file, const ModelInfo& info,
                                const std::vector<std::string>& names) {
  const auto plan = plan_of(info);
  std::vector<const StoredTensor*> tensors;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& shape = plan.tensors[i].shape;
    const auto* tensor = file.find(names[i]);
    if (tensor == nullptr || tensor->dtype != DType::kF32 || tensor->shape != shape) {
      throw ModelError(fmt::format("{}: no tensor {} of F32 ({}), as its network {} asks for", file.path(),
                                   shown(names[i]), fmt::join(shape, ", "), info.network.text()));
    }
    tensors.push_back(tensor);
  }
  // Allocated only now: the file's size bounds the tensors that it holds, not the network that it names.
  std::vector<float> flat(plan.floats);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    file.read(*tensors[i], std::as_writable_bytes(plan.tensors[i].in(std::span(flat))));
  }
  return flat;
}

// The names of the plan's tensors within the module that holds the layers.
std::vector<std::string> names_in(const NetworkPlan& plan, const ModelInfo& info) {
  const std::string prefix = info.names + (info.names.empty() ? "" : ".");
  std::vector<std::string> names;
  for (const auto& tensor : plan.tensors) names.push_back(prefix + tensor.name);
  return names;
}

// "net" where these are the names that an nn.Sequential without Dropout gives as attribute `net`; else the
// usual.
std::string module_of(const ModelInfo& info, const std::vector<std::string>& names) {
  constexpr std::string_view kFirst = "0.weight";
  if (!names.front().ends_with(kFirst)) return info.names;
  ModelInfo guess = info;
  guess.names = names.front().substr(0, names.front().size() - kFirst.size());
  if (guess.names.ends_with('.')) guess.names.pop_back();
  return parameter_names(guess) == names ? guess.names : info.names;
}

// "element 3 of tensor 0.weight is nan" of the first that is not finite, or "".
std::string not_finite(const std::string& name, std::span<const float> values) {
  const auto bad = std::ranges::find_if_not(values, [](float value) { return std::isfinite(value); });
  if (bad == values.end()) return "";
  return fmt::format("element {} of tensor {} is {}", bad - values.begin(), shown(name), *bad);
}

}  // namespace

// Names of npz are paths in an archive; names of optimizer state are for checkpoints.
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

NetworkPlan plan_of(const ModelInfo& info) {
  return plan_network(with_dropout(info.network, info.dropout), shape_of(info.sample_shape));
}

std::vector<std::string> parameter_names(const ModelInfo& info) { return names_in(plan_of(info), info); }

std::vector<TensorView> parameter_tensors(const ModelInfo& info, std::span<const float> parameters,
                                          const std::string& prefix) {
  const auto plan = plan_of(info);
  const auto names = names_in(plan, info);
  std::vector<TensorView> tensors;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& tensor = plan.tensors[i];
    tensors.push_back({prefix + names[i], DType::kF32, tensor.shape, std::as_bytes(tensor.in(parameters))});
  }
  return tensors;
}

std::string not_finite(const ModelInfo& info, std::span<const float> parameters) {
  const auto plan = plan_of(info);
  const auto names = names_in(plan, info);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (auto found = not_finite(names[i], plan.tensors[i].in(parameters)); !found.empty()) return found;
  }
  return "";
}

Metadata metadata_of(const ModelInfo& info) {
  Metadata metadata{{"format", "pt"},  // what safetensors calls PyTorch's tensors
                    {std::string(kNetwork), info.network.text()},
                    {std::string(kOutput), info.log_softmax ? "log_softmax" : "logits"},
                    {std::string(kSampleShape), fmt::format("{}", fmt::join(info.sample_shape, "x"))},
                    {std::string(kDropout), fmt::format("{}", info.dropout)},
                    {std::string(kNames), info.names},
                    {"warpfit.pixels", "float32(byte) / 255"}};
  if (info.network.inputs) metadata["warpfit.activation"] = "relu";  // a list of layers says it itself
  return metadata;
}

void save_model(const FileLocation& location, const ModelInfo& info, std::span<const float> parameters) {
  write_safetensors(location, metadata_of(info), parameter_tensors(info, parameters));
}

Model load_model(const std::string& path) { return load_model(SafetensorsFile(path)); }

bool is_own_model(const SafetensorsFile& file) { return file.metadata().contains(std::string(kNetwork)); }

Model load_model(const SafetensorsFile& file) {
  Model model;
  std::vector<std::string> names;
  if (is_own_model(file)) {
    model.info = info_of(file);
    names = parameter_names(model.info);
  } else {
    const auto dict = state_dict_of(file);
    model.info.network = dict.network;
    model.info.sample_shape = {*dict.network.inputs};
    names = dict.names;
    model.info.names = module_of(model.info, names);
  }
  model.parameters = read_tensors(file, model.info, names);
  const std::unordered_set<std::string_view> known(names.begin(), names.end());
  for (const auto& tensor : file.tensors()) {
    const bool of_checkpoint = tensor.name.starts_with(kOptimizerPrefix);
    if (!of_checkpoint && !known.contains(tensor.name)) {
      throw ModelError(fmt::format("{}: tensor {} is no part of its network {}", file.path(),
                                   shown(tensor.name), model.info.network.text()));
    }
  }
  return model;
}

std::vector<float> read_parameters(const SafetensorsFile& file, const ModelInfo& info,
                                   const std::string& prefix) {
  auto names = parameter_names(info);
  for (auto& name : names) name.insert(0, prefix);
  return read_tensors(file, info, names);
}

WarmStart load_matching(const std::string& path, const ModelInfo& info, std::span<float> parameters) {
  const SafetensorsFile file(path);
  const auto plan = plan_of(info);
  const auto names = names_in(plan, info);
  WarmStart result;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& shape = plan.tensors[i].shape;
    const auto values = plan.tensors[i].in(parameters);
    const auto* tensor = file.find(names[i]);
    if (tensor != nullptr && tensor->dtype == DType::kF32 && tensor->shape == shape) {
      file.read(*tensor, std::as_writable_bytes(values));
      if (const auto found = not_finite(names[i], values); !found.empty()) {
        throw ModelError(fmt::format(
            "{}: {}, expected finite numbers; use a model whose training did not diverge", path, found));
      }
      result.loaded.push_back(names[i]);
    } else {
      result.missing.push_back(fmt::format("{} ({})", names[i], fmt::join(shape, ", ")));
    }
  }
  const std::unordered_set<std::string_view> loaded(result.loaded.begin(), result.loaded.end());
  for (const auto& tensor : file.tensors()) {
    if (!loaded.contains(tensor.name)) {
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
