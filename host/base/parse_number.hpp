// Parses numbers strictly: the whole text is the number, without blanks, trailing characters or overflow.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace warpfit {

/// The decimal number that `text` as a whole states, or nothing; also nothing if it does not fit into T.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

}  // namespace warpfit
