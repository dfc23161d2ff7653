// What a file says of itself: a key and its value, whose further lines stand below the first.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "host/base/printable.hpp"

namespace warpfit {

/// `entries` are pairs of texts. Empty where there are none.
template <class Entries>
std::string metadata_lines(const Entries& entries) {
  std::size_t width = 0;
  for (const auto& [key, value] : entries) width = std::max(width, printable(key).size());
  std::string text;
  for (const auto& [key, value] : entries) {
    std::string_view rest = value;
    text += fmt::format("{}{:<{}}", text.empty() ? "\n" : "", printable(key), width);
    for (bool is_first = true; is_first || !rest.empty(); is_first = false) {
      const auto line = rest.substr(0, rest.find('\n'));
      text += fmt::format("{:{}}{}\n", "", is_first ? 2 : width + 2, printable(line));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    }
  }
  return text;
}

}  // namespace warpfit
