#include "host/model/model_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <ranges>
#include <unordered_set>
#include <utility>

#include "host/base/error.hpp"
#include "host/base/listing.hpp"
#include "host/base/parse_number.hpp"
#include "host/base/shown.hpp"
#include "host/base/utf8.hpp"
#include "host/files/float_tensor.hpp"
#include "host/files/json.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/files/safetensors_writer.hpp"
#include "host/model/state_dict.hpp"
#include "host/model/tensor_names.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kNetwork = "warpfit.network";
constexpr std::string_view kOutput = "warpfit.output";
constexpr std::string_view kSampleShape = "warpfit.sample_shape";
constexpr std::string_view kDropout = "warpfit.dropout";
constexpr std::string_view kNames = "warpfit.names";
constexpr std::string_view kClassNames = "warpfit.class_names";  // a JSON array
constexpr std::string_view kPixelMean = "warpfit.pixel_mean";    // of pixels divided by 255
constexpr std::string_view kPixelDeviation = "warpfit.pixel_std";
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

// Those of none, or of all classes.
std::vector<std::string> class_names_of(const SafetensorsFile& file, std::int64_t classes) {
  std::vector<std::string> names;
  const auto found = file.metadata().find(std::string(kClassNames));
  if (found == file.metadata().end()) return names;
  const auto json = parse_json(found->second, file.path());
  if (const auto* array = std::get_if<Json::Array>(&json.value)) {
    for (const auto& element : *array) {
      if (const auto* name = std::get_if<std::string>(&element.value)) names.push_back(*name);
    }
  }
  if (std::ssize(names) != classes)
    refuse(file, kClassNames, fmt::format("an array of the names of {} classes", classes));
  return names;
}

// Of none, if the model does not tell both.
std::optional<PixelStatistics> pixels_of(const SafetensorsFile& file) {
  const auto& metadata = file.metadata();
  if (!metadata.contains(std::string(kPixelMean)) || !metadata.contains(std::string(kPixelDeviation)))
    return {};
  const auto number = [&](std::string_view key) {
    const auto value = parse_number<double>(entry(file, key));
    if (!value || !(*value >= 0 && *value <= 1)) refuse(file, key, "a number from 0 to 1");
    return *value;
  };
  return PixelStatistics{.mean = number(kPixelMean), .deviation = number(kPixelDeviation)};
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
  info.pixels = pixels_of(file);
  try {
    info.class_names = class_names_of(file, plan_of(info).classes());
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
    if (tensor == nullptr || !is_floating_point(tensor->dtype) || tensor->shape != shape) {
      throw ModelError(
          fmt::format("{}: no tensor {} ({}) of floating-point numbers, which its network {} needs",
                      file.path(), shown(names[i]), fmt::join(shape, ", "), info.network.text()));
    }
    tensors.push_back(tensor);
  }
  // Allocated only now: the file's size bounds the tensors that it holds, not the network that it names.
  std::vector<float> flat(plan.floats);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    read_floats(file, *tensors[i], plan.tensors[i].in(std::span(flat)));
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

// "net" if these are the names that an nn.Sequential without Dropout gives as attribute `net`, wrappers
// aside; otherwise the usual one.
std::string module_of(const ModelInfo& info, std::vector<std::string> names) {
  constexpr std::string_view kFirst = "0.weight";
  for (auto& name : names) name = without_wrappers(name);
  if (!names.front().ends_with(kFirst)) return info.names;
  ModelInfo guess = info;
  guess.names = names.front().substr(0, names.front().size() - kFirst.size());
  if (guess.names.ends_with('.')) guess.names.pop_back();
  return parameter_names(guess) == names ? guess.names : info.names;
}

// Other tensors than the network's would be lost without a word.
void refuse_others(const SafetensorsFile& file, const ModelInfo& info,
                   const std::vector<std::string>& names) {
  const std::unordered_set<std::string_view> known(names.begin(), names.end());
  for (const auto& tensor : file.tensors()) {
    if (tensor.name.starts_with(kOptimizerPrefix) || known.contains(tensor.name)) continue;
    throw ModelError(fmt::format("{}: tensor {} is not part of its network {}", file.path(),
                                 shown(tensor.name), info.network.text()));
  }
}

// "4 tensors converted from F16 to F32" for each type but float32.
std::vector<std::string> conversion_notes(const SafetensorsFile& file,
                                          const std::vector<std::string>& names) {
  std::map<DType, std::size_t> counts;
  for (const auto& name : names) ++counts[file.find(name)->dtype];
  std::vector<std::string> notes;
  for (const auto& [dtype, count] : counts) {
    if (dtype != DType::kF32)
      notes.push_back(
          fmt::format("{}: {} tensors converted from {} to F32", file.path(), count, dtype_name(dtype)));
  }
  return notes;
}

std::string ignored_note(const SafetensorsFile& file, const std::vector<std::string>& names) {
  constexpr std::size_t kMaxNamed = 5;
  return fmt::format("{}: these tensors belong to no layer and are ignored: {}", file.path(),
                     listing(names | std::views::transform(shown), kMaxNamed));
}

}  // namespace

std::string not_finite(const std::string& name, std::span<const float> values) {
  const auto bad = std::ranges::find_if_not(values, [](float value) { return std::isfinite(value); });
  if (bad == values.end()) return "";
  return fmt::format("element {} of tensor {} is {}", bad - values.begin(), shown(name), *bad);
}

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
  if (!info.class_names.empty()) {
    std::vector<std::string> quoted;
    for (const auto& name : info.class_names) quoted.push_back(json_quoted(name, "class names"));
    metadata[std::string(kClassNames)] = fmt::format("[{}]", fmt::join(quoted, ","));
  }
  if (info.pixels) {
    metadata[std::string(kPixelMean)] = fmt::format("{:.6g}", info.pixels->mean);
    metadata[std::string(kPixelDeviation)] = fmt::format("{:.6g}", info.pixels->deviation);
  }
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
    auto dict = state_dict_of(file);
    model.info.network = std::move(dict.network);
    model.info.sample_shape = {dict.inputs};
    names = std::move(dict.names);
    model.info.names = module_of(model.info, names);
    if (!dict.ignored.empty()) model.warnings.push_back(ignored_note(file, dict.ignored));
  }
  model.parameters = read_tensors(file, model.info, names);
  if (is_own_model(file)) refuse_others(file, model.info, names);
  model.notes = conversion_notes(file, names);
  return model;
}

std::vector<float> read_parameters(const SafetensorsFile& file, const ModelInfo& info,
                                   const std::string& prefix) {
  auto names = parameter_names(info);
  for (auto& name : names) name.insert(0, prefix);
  return read_tensors(file, info, names);
}

}  // namespace warpfit
