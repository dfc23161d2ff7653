// Patterns with wildcards, as in a shell.
#pragma once

#include <cstddef>
#include <string_view>

namespace warpfit {

/// Whether the pattern matches the whole text: `*` matches any number of characters, none included, `?`
/// matches one character, and any other character matches itself.
[[nodiscard]] constexpr bool matches_glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  std::size_t star = pattern.npos;  // the last '*' so far; it matches the text from `begin` to t
  std::size_t begin = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      begin = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {  // the '*' matches one more character
      p = star + 1;
      t = ++begin;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace warpfit
