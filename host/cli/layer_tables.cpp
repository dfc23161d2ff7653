#include "host/cli/layer_tables.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/shown.hpp"
#include "host/model/layers/layer_text.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kType = "type";

// Names of layers and arguments. Any other text could contain characters that mean something in --network.
bool is_word(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto is_inner = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, is_inner);
}

// A decimal point keeps 3.0 from being read as an integer.
std::string text_of_float(double value) {
  auto text = fmt::format("{}", value);
  if (text.find_first_not_of("-0123456789") == text.npos) text += ".0";
  return text;
}

// Nothing if no argument can have the value. Strings are words: "3" and "true" are neither numbers nor flags.
std::optional<std::string> text_of_value(const toml::node& node) {
  if (const auto* integer = node.as_integer()) return fmt::format("{}", integer->get());
  if (const auto* number = node.as_floating_point()) return text_of_float(number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  const auto* const text = node.as_string();
  if (text == nullptr || !is_word(text->get()) || text->get() == "true" || text->get() == "false")
    return std::nullopt;
  return text->get();
}

class LayerTables {
 public:
  explicit LayerTables(const std::string& path) : path_(path) {}

  // `depth`: the number of residual blocks around the layers.
  [[nodiscard]] std::string list(const toml::node& node, int depth) const {
    const auto* const layers = node.as_array();
    if (layers == nullptr)
      refuse_toml(path_, node.source().begin, "layer is not a list, expected tables [[layer]]");
    if (layers->empty()) refuse_toml(path_, node.source().begin, "layer is empty, expected tables [[layer]]");
    if (depth > kMaxResidualDepth) {
      refuse_toml(path_, node.source().begin,
                  fmt::format("residual blocks are nested more than {} deep", kMaxResidualDepth));
    }
    std::string text;
    int number = 0;
    for (const auto& each : *layers) {
      ++number;
      const auto* const table = each.as_table();
      if (table == nullptr) refuse(each, number, "expected a table, as in [[layer]]");
      text += fmt::format("{}{}", text.empty() ? "" : ",", layer(*table, number, depth));
    }
    return text;
  }

 private:
  [[noreturn]] void refuse(const toml::node& node, int number, std::string_view what) const {
    refuse_toml(path_, node.source().begin, fmt::format("layer {}: {}", number, what));
  }

  [[nodiscard]] std::string layer(const toml::table& table, int number, int depth) const {
    const auto name = type(table, number);
    const bool is_residual = name == kResidual;
    const auto* const block = table.get(kLayerKey);
    if (block != nullptr && !is_residual)
      refuse(*block, number, fmt::format("{} has no layers of its own, as residual has", name));
    if (block == nullptr && is_residual)
      refuse(table, number, "residual has no layers, expected tables [[layer.layer]]");
    const auto given = arguments(table, number);
    if (is_residual) {
      if (!given.empty()) refuse(table, number, fmt::format("residual: unexpected argument '{}'", given));
      return fmt::format("{}({})", name, list(*block, depth + 1));
    }
    auto text = given.empty() ? name : fmt::format("{}({})", name, given);
    try {
      parse_layer(text);
    } catch (const UsageError& error) {
      refuse(table, number, fmt::format("'{}': {}", shown(text), error.what()));
    }
    return text;
  }

  [[nodiscard]] std::string type(const toml::table& table, int number) const {
    const auto* const node = table.get(kType);
    if (node == nullptr) refuse(table, number, "no type given, as in type = \"linear\"");
    const auto* const text = node->as_string();
    if (text == nullptr || !is_word(text->get()))
      refuse(*node, number, "expected the type of a layer, as in type = \"linear\"");
    return text->get();
  }

  // "out_channels=32,kernel_size=3", in the order of the file.
  [[nodiscard]] std::string arguments(const toml::table& table, int number) const {
    std::vector<std::pair<std::string_view, const toml::node*>> given;
    for (const auto& [key, node] : table) {
      if (key != kType && key != kLayerKey) given.emplace_back(key.str(), &node);
    }
    std::ranges::sort(given, {}, [](const auto& argument) {
      const auto at = argument.second->source().begin;
      return std::pair(at.line, at.column);
    });
    std::string text;
    for (const auto& [key, node] : given) {
      const auto value = text_of_value(*node);
      if (!is_word(key)) refuse(*node, number, fmt::format("unexpected argument '{}'", shown(key)));
      if (!value)
        refuse(*node, number, fmt::format("{}: expected a number, true, false or a name in quotes", key));
      text += fmt::format("{}{}={}", text.empty() ? "" : ",", key, *value);
    }
    return text;
  }

  const std::string& path_;
};

}  // namespace

std::string text_of_layers(const toml::node& layers, const std::string& path) {
  return LayerTables(path).list(layers, 0);
}

}  // namespace warpfit
