// Sizes of memory as people write them: 1500, 512K, 64M, 2G; each unit is 1024 times the one before.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/parse_number.hpp"

namespace warpfit {

/// The number of bytes that `text` as a whole states, or nothing if it is not a positive whole number of
/// bytes or is too large.
inline std::optional<std::int64_t> parse_byte_size(std::string_view text) {
  const auto unit = text.empty() ? std::string_view::npos : std::string_view("KMG").find(text.back());
  int shift = 0;
  if (unit != std::string_view::npos) {
    shift = 10 * (static_cast<int>(unit) + 1);
    text.remove_suffix(1);
  }
  const auto count = parse_number<std::int64_t>(text);
  if (!count || *count < 1 || *count > std::numeric_limits<std::int64_t>::max() >> shift) return std::nullopt;
  return *count << shift;
}

/// The shortest text that parse_byte_size() reads as this number.
inline std::string byte_size_text(std::int64_t bytes) {
  constexpr std::string_view kUnits = " KMG";
  std::size_t unit = 0;
  while (unit + 1 < kUnits.size() && bytes != 0 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + (unit > 0 ? std::string(1, kUnits[unit]) : "");
}

}  // namespace warpfit
