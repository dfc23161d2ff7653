// Metadata of a file as lines: a key and its value; further lines of a value are printed below the first.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "host/base/printable.hpp"
#include "host/inspect/describe.hpp"

namespace warpfit {

/// `entries` are pairs of strings; if there are none, nothing is printed. Long keys and values are shortened.
/// The values are aligned in a column, except those of keys wider than the maximum column width.
template <class Entries>
void print_metadata(const Entries& entries, const TextSink& print) {
  constexpr std::size_t kMaxKey = 200, kMaxValue = 4000, kMaxWidth = 32;
  std::size_t width = 0;
  for (const auto& [key, value] : entries) {
    width = std::max(width, std::min(kMaxWidth, printable(key, kMaxKey).size()));
  }
  if (!entries.empty()) print("\n");
  for (const auto& [key, value] : entries) {
    print(fmt::format("{:<{}}", printable(key, kMaxKey), width));
    const std::string text = shorten(value, kMaxValue);
    std::string_view rest = text;
    for (bool is_first = true; is_first || !rest.empty(); is_first = false) {
      const auto line = rest.substr(0, rest.find('\n'));
      print(fmt::format("{:{}}{}\n", "", is_first ? 2 : width + 2, printable(line)));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    }
  }
}

}  // namespace warpfit
