// Numbers from text, all of it or nothing: no leading blanks, no trailing rubbish, no silent wrap.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace warpfit {

/// The number that `text` spells in full (decimal), or nothing: also where it does not fit T.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

}  // namespace warpfit
