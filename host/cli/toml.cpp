#include "host/cli/toml.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/base/error.hpp"
#include "host/files/file.hpp"

namespace warpfit {
namespace {

// toml++ 3.3 limits the nesting of values, but not the number of parts of a key such as a.b.c. It destroys
// nested tables recursively, so that a key of 100,000 parts would overflow the stack.
constexpr int kMaxDots = 32;

// The position after the string that begins at `start`. A string without an end, which toml++ refuses, ends
// with its line or with the text.
std::size_t end_of_string(std::string_view text, std::size_t start) {
  const char quote = text[start];
  const std::string triple(3, quote);
  const bool is_long = text.substr(start).starts_with(triple);
  std::size_t i = start + (is_long ? triple.size() : 1);
  while (i < text.size()) {
    const auto rest = text.substr(i);
    if (quote == '"' && rest.front() == '\\') {
      i += 2;
    } else if (is_long && rest.starts_with(triple)) {
      i += triple.size();
      const auto last = std::min(i + 2, text.size());  // up to two quotes more belong to the string
      while (i < last && text[i] == quote) ++i;
      return i;
    } else if (!is_long && (rest.front() == quote || rest.front() == '\n')) {
      return i + 1;
    } else {
      ++i;
    }
  }
  return text.size();
}

void check_keys(std::string_view text, const std::string& path) {
  int dots = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      i = end_of_string(text, i);
    } else if (c == '#') {
      i = std::min(text.find('\n', i), text.size());
    } else {
      if (std::string_view("\n=,[]{}").find(c) != std::string_view::npos) dots = 0;  // not part of a key
      if (c == '.' && ++dots > kMaxDots) {
        const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(i), '\n') + 1;
        refuse_toml(path, {static_cast<toml::source_index>(line), 1},
                    fmt::format("a key has more than {} dots", kMaxDots));
      }
      ++i;
    }
  }
}

}  // namespace

void refuse_toml(const std::string& path, const toml::source_position& at, std::string_view what) {
  throw UsageError(fmt::format("{}, line {}: {}", path, at.line, what));
}

toml::table parse_toml(std::string_view text, const std::string& path) {
  check_keys(text, path);
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    refuse_toml(path, error.source().begin, error.description());
  }
}

std::string read_toml_text(const FileLocation& location) {
  constexpr std::uint64_t kMaxBytes = 1 << 20;
  const File file(location);
  if (file.size() > kMaxBytes) {
    throw UsageError(fmt::format("{}: {} bytes, expected a configuration of at most {}", file.path(),
                                 file.size(), kMaxBytes));
  }
  std::vector<std::uint8_t> bytes(file.size());
  file.read(0, bytes);
  return {bytes.begin(), bytes.end()};
}

}  // namespace warpfit
