#include "host/model/layers/layer_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>

#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/base/shown.hpp"

namespace warpfit {
namespace {

constexpr double kMaxDropout = 0.99;

Layer parse_linear(LayerArguments& arguments) {
  const auto outputs = arguments.integer("outputs", 1, kMaxWidth);
  return Linear{outputs, arguments.flag("bias", true)};
}

Layer parse_dropout(LayerArguments& arguments) {
  return Dropout{static_cast<float>(arguments.number("p", 0, kMaxDropout, Dropout{}.p))};
}

Layer parse_conv(LayerArguments& arguments) {
  constexpr std::int64_t kMaxKernel = 255;
  Conv layer;
  layer.out_channels = arguments.integer("out_channels", 1, kMaxWidth);
  layer.kernel = arguments.integer("kernel_size", 1, kMaxKernel);
  layer.stride = arguments.integer("stride", 1, kMaxKernel, layer.stride);
  const auto padding = arguments.integer_or("same", "padding", 0, kMaxKernel, layer.padding);
  layer.padding = padding.value_or(0);
  layer.same_padding = !padding;
  if (layer.same_padding && layer.stride != 1)
    throw UsageError(fmt::format("padding=same requires stride 1, not {}, as in nn.Conv2d", layer.stride));
  layer.dilation = arguments.integer("dilation", 1, kMaxKernel, layer.dilation);
  layer.groups = arguments.integer("groups", 1, kMaxWidth, layer.groups);
  layer.bias = arguments.flag("bias", layer.bias);
  constexpr std::array<std::string_view, 3> kInits{"default", "dirac", "whiten"};
  layer.init = static_cast<ConvInit>(arguments.word("init", kInits));
  return layer;
}

Layer parse_batch_norm(LayerArguments& arguments) {
  BatchNorm layer;
  layer.eps = arguments.number("eps", 0, 1, layer.eps);
  layer.momentum = arguments.number("momentum", 0, 1, layer.momentum);
  return layer;
}

Layer parse_pool(PoolKind kind, LayerArguments& arguments) {
  constexpr std::int64_t kMaxKernel = 255;
  Pool layer{.kind = kind, .kernel = arguments.integer("kernel_size", 1, kMaxKernel)};
  layer.stride = arguments.integer("stride", 1, kMaxKernel, layer.kernel);
  layer.padding = arguments.integer("padding", 0, kMaxKernel, 0);
  return layer;
}

Layer parse_max_pool(LayerArguments& arguments) { return parse_pool(PoolKind::kMax, arguments); }
Layer parse_avg_pool(LayerArguments& arguments) { return parse_pool(PoolKind::kAverage, arguments); }
Layer parse_global_avg_pool(LayerArguments&) { return Pool{.kind = PoolKind::kAverage, .is_global = true}; }

Layer parse_flatten(LayerArguments&) { return Flatten{}; }

struct Kind {
  std::string_view name;
  Layer (*parse)(LayerArguments& arguments);
};

constexpr std::array kKinds{
    Kind{"linear", parse_linear},        Kind{"conv", parse_conv},
    Kind{"batchnorm", parse_batch_norm}, Kind{"dropout", parse_dropout},
    Kind{"flatten", parse_flatten},      Kind{"maxpool", parse_max_pool},
    Kind{"avgpool", parse_avg_pool},     Kind{"globalavgpool", parse_global_avg_pool}};

Layer parse_activation(const ActivationName& name, LayerArguments& arguments) {
  constexpr double kMax = 1e6;
  Activation layer{name.kind};
  if (!name.parameter.empty())
    layer.parameter = static_cast<float>(arguments.number(name.parameter, 0, kMax, name.otherwise));
  return layer;
}

using Parser = std::function<Layer(LayerArguments& arguments)>;

// Errors: UsageError if no layer has this name.
Parser parser_of(std::string_view name) {
  const auto* const kind = std::ranges::find(kKinds, name, &Kind::name);
  if (kind != kKinds.end()) return kind->parse;
  const auto activations = activation_names();
  const auto found = std::ranges::find(activations, name, &ActivationName::text);
  if (found != activations.end())
    return [found](LayerArguments& arguments) { return parse_activation(*found, arguments); };
  std::vector<std::string_view> names;
  for (const auto& each : kKinds) names.push_back(each.name);
  names.push_back(kResidual);
  for (const auto& each : activations) names.push_back(each.text);
  throw UsageError(fmt::format("unknown layer, expected one of {}", fmt::join(names, ", ")));
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// Splits `text` at commas outside of parentheses and removes the blanks around each piece.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ',';
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (i < text.size() && (c != ',' || depth > 0)) continue;
    parts.push_back(trimmed(text.substr(start, i - start)));
    start = i + 1;
  }
  return parts;
}

// The layers of a residual block; nothing if the text is another layer. Errors: UsageError.
std::optional<std::string_view> inside_residual(std::string_view text) {
  const auto open = std::min(text.find('('), text.size());
  if (trimmed(text.substr(0, open)) != kResidual) return std::nullopt;
  if (!text.ends_with(')') || open + 2 >= text.size())
    throw UsageError("expected layers in parentheses, as in residual(conv(16,3,padding=1),relu)");
  return text.substr(open + 1, text.size() - open - 2);
}

// `depth`: the number of residual blocks around the layers. Errors: UsageError.
std::vector<Layer> parse_list(std::string_view text, int depth) {
  if (depth > kMaxResidualDepth) {
    throw UsageError(fmt::format("residual blocks are nested more than {} deep", kMaxResidualDepth));
  }
  std::vector<Layer> layers;
  int number = 0;
  for (const auto part : split(text)) {
    ++number;
    try {
      if (const auto inside = inside_residual(part)) {
        const auto block = parse_list(*inside, depth + 1);
        layers.emplace_back(ResidualBegin{});
        layers.insert(layers.end(), block.begin(), block.end());
        layers.emplace_back(ResidualEnd{});
      } else {
        layers.push_back(parse_layer(part));
      }
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("layer {}, '{}': {}", number, shown(part), error.what()));
    }
  }
  return layers;
}

}  // namespace

LayerArguments::LayerArguments(std::string_view text) {
  if (trimmed(text).empty()) return;
  for (const auto part : split(text)) {
    const auto equals = part.find('=');
    if (equals != part.npos) {
      named_.emplace_back(trimmed(part.substr(0, equals)), trimmed(part.substr(equals + 1)));
    } else if (named_.empty()) {
      positional_.push_back(part);
    } else {
      throw UsageError(
          fmt::format("'{}' is a positional argument after a named one, expected name=value", shown(part)));
    }
  }
}

std::optional<std::string_view> LayerArguments::take(std::string_view name) {
  if (next_ < positional_.size()) return positional_[next_++];
  const auto found = std::ranges::find(named_, name, &std::pair<std::string_view, std::string_view>::first);
  if (found == named_.end()) return std::nullopt;
  const auto value = found->second;
  named_.erase(found);
  return value;
}

std::int64_t LayerArguments::integer(std::string_view name, std::int64_t min, std::int64_t max,
                                     std::optional<std::int64_t> otherwise) {
  const auto text = take(name);
  if (!text && otherwise) return *otherwise;
  if (!text) throw UsageError(fmt::format("no {} given, expected a number from {} to {}", name, min, max));
  const auto value = text ? parse_number<std::int64_t>(*text) : std::nullopt;
  if (value && *value >= min && *value <= max) return *value;
  throw UsageError(
      fmt::format("{} is '{}', expected a number from {} to {}", name, shown(text.value_or("")), min, max));
}

std::optional<std::int64_t> LayerArguments::integer_or(std::string_view word, std::string_view name,
                                                       std::int64_t min, std::int64_t max,
                                                       std::int64_t otherwise) {
  const auto text = take(name);
  if (!text) return otherwise;
  if (*text == word) return std::nullopt;
  const auto value = parse_number<std::int64_t>(*text);
  if (value && *value >= min && *value <= max) return value;
  throw UsageError(
      fmt::format("{} is '{}', expected a number from {} to {} or {}", name, shown(*text), min, max, word));
}

double LayerArguments::number(std::string_view name, double min, double max, double otherwise) {
  const auto text = take(name);
  if (!text) return otherwise;
  const auto value = parse_number<double>(*text);
  if (value && *value >= min && *value <= max) return *value;
  throw UsageError(fmt::format("{} is '{}', expected a number from {} to {}", name, shown(*text), min, max));
}

bool LayerArguments::flag(std::string_view name, bool otherwise) {
  const auto text = take(name);
  if (!text) return otherwise;
  if (*text == "true") return true;
  if (*text == "false") return false;
  throw UsageError(fmt::format("{} is '{}', expected true or false", name, shown(*text)));
}

std::size_t LayerArguments::word(std::string_view name, std::span<const std::string_view> words) {
  const auto text = take(name);
  if (!text) return 0;
  const auto found = std::ranges::find(words, *text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  throw UsageError(fmt::format("{} is '{}', expected one of {}", name, shown(*text), fmt::join(words, ", ")));
}

void LayerArguments::finish() const {
  if (next_ < positional_.size())
    throw UsageError(fmt::format("unexpected argument '{}'", shown(positional_[next_])));
  if (!named_.empty()) throw UsageError(fmt::format("unexpected argument '{}'", shown(named_.front().first)));
}

Layer parse_layer(std::string_view text) {
  const auto open = std::min(text.find('('), text.size());
  const auto parse = parser_of(trimmed(text.substr(0, open)));
  std::string_view inside;
  if (open < text.size()) {
    if (!text.ends_with(')')) throw UsageError("expected a closing parenthesis at its end");
    inside = text.substr(open + 1, text.size() - open - 2);
  }
  LayerArguments arguments(inside);
  auto layer = parse(arguments);
  arguments.finish();
  return layer;
}

std::vector<Layer> parse_layers(std::string_view text) { return parse_list(text, 0); }

std::string text_of(const std::vector<Layer>& layers) {
  std::string text;
  bool is_first = true;  // in the network or in a residual block
  for (const auto& layer : layers) {
    const bool is_end = std::holds_alternative<ResidualEnd>(layer);
    if (!is_first && !is_end) text += ",";
    text += std::visit([](const auto& kind) { return text_of(kind); }, layer);
    is_first = std::holds_alternative<ResidualBegin>(layer);
  }
  return text;
}

}  // namespace warpfit
