#include "host/cli/config.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/base/utf8.hpp"
#include "host/cli/layer_tables.hpp"
#include "host/cli/nearest.hpp"
#include "host/cli/toml.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kEncoded = "percent-encoded";
constexpr std::string_view kNetwork = "network";  // the option that the tables [[layer]] set

// Percent-encoding as in URLs: every byte other than printable ASCII is written as %1B, and so is '%' itself.
std::string percent_encoded(std::string_view value) {
  std::string text;
  for (const char c : value) {
    const auto code = static_cast<std::uint8_t>(c);
    if (code > 0x20 && code < 0x7F && c != '%') {
      text += c;
    } else {
      text += fmt::format("%{:02X}", code);
    }
  }
  return text;
}

// Nothing if a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text) {
  constexpr int kHexadecimal = 16;
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      value += text[i];
      continue;
    }
    const auto digits = text.substr(i + 1, 2);
    std::uint8_t code = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, kHexadecimal);
    if (digits.size() != 2 || error != std::errc{} || end != digits.data() + 2) return std::nullopt;
    value += static_cast<char>(code);
    i += digits.size();
  }
  return value;
}

std::string toml_string(std::string_view value) {
  if (!is_utf8(value)) return fmt::format("{{ {} = {} }}", kEncoded, toml_string(percent_encoded(value)));
  std::string text = "\"";
  for (const char c : value) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') text += '\\';
    if (code < 0x20 || code == 0x7F) {
      text += fmt::format("\\u{:04X}", code);
    } else {
      text += c;
    }
  }
  return text + '"';
}

// TOML's integers are signed 64-bit numbers: a larger seed has to be a string.
bool fits_toml(const std::string& number) {
  return number.find_first_not_of("0123456789") != std::string::npos ||
         parse_number<std::int64_t>(number).has_value();
}

std::string value_of(const Option& option) {
  const auto value = option.get();
  if (option.is_switch()) return value.empty() ? "false" : value;
  return option.is_number && fits_toml(value) ? value : toml_string(value);
}

const Option& option_named(std::string_view key, const std::string& path, const toml::source_position& at,
                           const Options& options) {
  std::vector<std::string_view> known{kLayerKey};
  for (const auto& option : options) {
    if (!option.flag.starts_with("--")) continue;
    const auto name = option.flag.substr(2);
    if (name == key && option.in_config) return option;
    known.push_back(name);
  }
  const auto meant = nearest(key, known);
  refuse_toml(path, at,
              fmt::format("unknown option {}{}", key,
                          meant.empty() || meant == key ? std::string(": see warpfit train --help")
                                                        : fmt::format(": did you mean {}?", meant)));
}

// The text of a string, or of a table that toml_string() writes if a text is not UTF-8.
std::optional<std::string> text_in(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  const auto* const table = node.as_table();
  if (table == nullptr || table->size() != 1) return std::nullopt;
  const auto* const encoded = table->get_as<std::string>(kEncoded);
  return encoded != nullptr ? percent_decoded(encoded->get()) : std::nullopt;
}

std::string text_of(const toml::node& node, const Option& option, const std::string& path) {
  if (option.is_switch()) {
    if (const auto* on = node.as_boolean()) return on->get() ? "true" : "false";
    refuse_toml(path, node.source().begin, fmt::format("{}: expected true or false", option.flag));
  }
  if (auto text = text_in(node)) {
    if (text->find('\0') == text->npos) return *std::move(text);
    refuse_toml(path, node.source().begin,
                fmt::format("{}: expected a string without NUL characters", option.flag));
  }
  if (option.is_number) {
    if (const auto* whole = node.as_integer()) return fmt::format("{}", whole->get());
    if (const auto* real = node.as_floating_point()) return fmt::format("{}", real->get());
    refuse_toml(path, node.source().begin,
                fmt::format("{}: expected a number, {}", option.flag, option.range));
  }
  refuse_toml(path, node.source().begin, fmt::format("{}: expected a string in quotes", option.flag));
}

}  // namespace

std::string config_text(const Options& options) {
  std::string text;
  std::string_view group;
  for (const auto& option : options) {
    const bool has_value = option.may_be_empty || option.is_switch() || !option.get().empty();
    if (!option.in_config || !has_value) continue;
    if (option.group != group) {
      group = option.group;
      text += fmt::format("{}# {}\n", text.empty() ? "" : "\n", group);
    }
    text += fmt::format("{} = {}\n", option.flag.substr(2), value_of(option));
  }
  return text;
}

void apply_config(std::string_view text, const std::string& path, const Options& options) {
  const auto table = parse_toml(text, path);
  for (const auto& [key, node] : table) {
    const auto at = node.source().begin;
    const bool is_layers = key.str() == kLayerKey;
    if (is_layers && table.contains(kNetwork))
      refuse_toml(path, at, "the file has both network and [[layer]], expected only one of them");
    const Option& option = option_named(is_layers ? kNetwork : key.str(), path, at, options);
    try {
      option.set(is_layers ? text_of_layers(node, path) : text_of(node, option, path));
    } catch (const UsageError& error) {
      if (std::string_view(error.what()).starts_with(path)) throw;
      refuse_toml(path, at, error.what());
    }
  }
}

void apply_config_file(const FileLocation& location, const Options& options) {
  apply_config(read_toml_text(location), location.path, options);
}

}  // namespace warpfit
