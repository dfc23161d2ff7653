#include "host/model/model_info.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/base/shown.hpp"
#include "host/base/split.hpp"
#include "host/files/json.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kNetwork = "warpfit.network";
constexpr std::string_view kOutput = "warpfit.output";
constexpr std::string_view kSampleShape = "warpfit.sample_shape";
constexpr std::string_view kDropout = "warpfit.dropout";
constexpr std::string_view kNames = "warpfit.names";
constexpr std::string_view kClassNames = "warpfit.class_names";  // a JSON array
constexpr std::string_view kPixelMean = "warpfit.pixel_mean";    // mean of pixels / 255
constexpr std::string_view kPixelDeviation = "warpfit.pixel_std";
constexpr std::string_view kNormalizeMean = "warpfit.normalize_mean";  // of each channel
constexpr std::string_view kNormalizeDeviation = "warpfit.normalize_std";
constexpr std::int64_t kMaxSample = std::int64_t{1} << 31;  // values in a sample

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

// Either no names, or one for each class.
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

// No value unless the model has both numbers.
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

std::string numbers_text(std::span<const float> numbers, std::int64_t count) {
  return fmt::format("{}", fmt::join(numbers.first(static_cast<std::size_t>(count)), ","));
}

// One number for each channel.
std::array<float, Normalization::kMaxChannels> numbers_of(const SafetensorsFile& file, std::string_view key,
                                                          std::int64_t channels) {
  std::array<float, Normalization::kMaxChannels> numbers{};
  const auto parts = split(entry(file, key), ',');
  const auto fail = [&] {
    refuse(file, key, fmt::format("a finite number for each of {} channels, separated by commas", channels));
  };
  if (std::ssize(parts) != channels) fail();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto number = parse_number<float>(parts[i]);
    if (!number || !std::isfinite(*number)) fail();
    numbers[i] = *number;
  }
  return numbers;
}

Normalization normalization_in(const SafetensorsFile& file, const Shape& sample) {
  if (!file.metadata().contains(std::string(kNormalizeMean)) &&
      !file.metadata().contains(std::string(kNormalizeDeviation)))
    return {};
  const auto channels = image_of(sample).channels;
  if (channels > Normalization::kMaxChannels)
    refuse(file, kNormalizeMean, fmt::format("at most {} channels", Normalization::kMaxChannels));
  const Normalization found{channels, numbers_of(file, kNormalizeMean, channels),
                            numbers_of(file, kNormalizeDeviation, channels)};
  for (std::size_t i = 0; i < static_cast<std::size_t>(channels); ++i) {
    if (found.deviations[i] <= 0) refuse(file, kNormalizeDeviation, "numbers above 0");
  }
  return found;
}

}  // namespace

NetworkPlan plan_of(const ModelInfo& info) {
  return plan_network(with_dropout(info.network, info.dropout), shape_of(info.sample_shape));
}

Metadata metadata_of(const ModelInfo& info) {
  Metadata metadata{{"format", "pt"},  // marks PyTorch tensors, by convention of safetensors
                    {std::string(kNetwork), info.network.text()},
                    {std::string(kOutput), info.log_softmax ? "log_softmax" : "logits"},
                    {std::string(kSampleShape), fmt::format("{}", fmt::join(info.sample_shape, "x"))},
                    {std::string(kDropout), fmt::format("{}", info.dropout)},
                    {std::string(kNames), info.names},
                    {"warpfit.pixels", info.normalization.channels == 0
                                           ? "float32(byte) / 255"
                                           : "(float32(byte) / 255 - normalize_mean) / normalize_std"}};
  if (!info.class_names.empty()) {
    std::vector<std::string> quoted;
    for (const auto& name : info.class_names) quoted.push_back(json_quoted(name, "class names"));
    metadata[std::string(kClassNames)] = fmt::format("[{}]", fmt::join(quoted, ","));
  }
  if (info.pixels) {
    metadata[std::string(kPixelMean)] = fmt::format("{:.6g}", info.pixels->mean);
    metadata[std::string(kPixelDeviation)] = fmt::format("{:.6g}", info.pixels->deviation);
  }
  if (const auto& normalization = info.normalization; normalization.channels > 0) {
    metadata[std::string(kNormalizeMean)] = numbers_text(normalization.means, normalization.channels);
    metadata[std::string(kNormalizeDeviation)] =
        numbers_text(normalization.deviations, normalization.channels);
  }
  if (info.network.inputs) metadata["warpfit.activation"] = "relu";  // a layer list states its activations
  return metadata;
}

std::string normalization_text(const Metadata& metadata) {
  const auto mean = metadata.find(std::string(kNormalizeMean));
  const auto deviation = metadata.find(std::string(kNormalizeDeviation));
  if (mean == metadata.end() || deviation == metadata.end()) return "";
  return fmt::format("{},{}", mean->second, deviation->second);
}

bool is_own_model(const SafetensorsFile& file) { return file.metadata().contains(std::string(kNetwork)); }

ModelInfo read_model_info(const SafetensorsFile& file) {
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
  info.normalization = normalization_in(file, shape_of(info.sample_shape));
  try {
    info.class_names = class_names_of(file, plan_of(info).classes());
  } catch (const UsageError& error) {
    throw ModelError(fmt::format("{}: {}", file.path(), error.what()));
  }
  return info;
}

}  // namespace warpfit
