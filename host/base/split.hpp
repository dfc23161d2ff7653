// The parts of a text between separators.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace warpfit {

/// At least one part, which may be empty.
inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find(separator, start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

}  // namespace warpfit
