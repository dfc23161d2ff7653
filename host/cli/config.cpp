// The only file that includes toml++.
#include "host/cli/config.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/base/utf8.hpp"
#include "host/cli/nearest.hpp"
#include "host/files/file.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kEncoded = "percent-encoded";

// As in a URL: every byte but printable ASCII as %1B, and '%' itself.
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

// Nothing where a '%' is not followed by two hexadecimal digits.
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

std::string quoted(std::string_view value) {
  if (!is_utf8(value)) return fmt::format("{{ {} = {} }}", kEncoded, quoted(percent_encoded(value)));
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

// TOML's integers are signed: a seed of 64 bits may have to be a string.
bool fits_toml(const std::string& number) {
  return number.find_first_not_of("0123456789") != std::string::npos ||
         parse_number<std::int64_t>(number).has_value();
}

std::string value_of(const Option& option) {
  const auto value = option.get();
  if (option.is_switch()) return value.empty() ? "false" : value;
  return option.is_number && fits_toml(value) ? value : quoted(value);
}

[[noreturn]] void refuse(const std::string& path, const toml::source_position& at, const std::string& what) {
  throw UsageError(fmt::format("{}, line {}: {}", path, at.line, what));
}

const Option& option_named(std::string_view key, const std::string& path, const toml::source_position& at,
                           const Options& options) {
  std::vector<std::string_view> known;
  for (const auto& option : options) {
    if (!option.flag.starts_with("--")) continue;
    const auto name = option.flag.substr(2);
    if (name == key && option.in_config) return option;
    known.push_back(name);
  }
  const auto meant = nearest(key, known);
  refuse(path, at,
         fmt::format("unknown option {}{}", key,
                     meant.empty() || meant == key ? std::string(": see warpfit train --help")
                                                   : fmt::format(": did you mean {}?", meant)));
}

// The text of a string, or of a table as quoted() writes for other bytes than UTF-8.
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
    refuse(path, node.source().begin, fmt::format("{}: expected true or false", option.flag));
  }
  if (auto text = text_in(node)) {
    if (text->find('\0') == text->npos) return *std::move(text);
    refuse(path, node.source().begin, fmt::format("{}: expected a text without NUL characters", option.flag));
  }
  if (option.is_number) {
    if (const auto* whole = node.as_integer()) return fmt::format("{}", whole->get());
    if (const auto* real = node.as_floating_point()) return fmt::format("{}", real->get());
    refuse(path, node.source().begin, fmt::format("{}: expected a number, {}", option.flag, option.range));
  }
  refuse(path, node.source().begin, fmt::format("{}: expected a text in quotes", option.flag));
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
  toml::table table;
  try {
    table = toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    refuse(path, error.source().begin, std::string(error.description()));
  }
  for (const auto& [key, node] : table) {
    const auto at = node.source().begin;
    const Option& option = option_named(key.str(), path, at, options);
    try {
      option.set(text_of(node, option, path));
    } catch (const UsageError& error) {
      if (std::string_view(error.what()).starts_with(path)) throw;
      refuse(path, at, error.what());
    }
  }
}

void apply_config_file(const FileLocation& location, const Options& options) {
  constexpr std::uint64_t kMostBytes = 1 << 20;
  const File file(location);
  const std::string& path = file.path();
  if (file.size() > kMostBytes) {
    throw UsageError(
        fmt::format("{}: {} bytes, expected a configuration of at most {}", path, file.size(), kMostBytes));
  }
  std::vector<std::uint8_t> bytes(file.size());
  file.read(0, bytes);
  apply_config({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path, options);
}

}  // namespace warpfit
