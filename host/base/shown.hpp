// Text out of a file, for a message: a hostile one could fill the screen, or steer the terminal with control
// codes.
#pragma once

#include <string>
#include <string_view>

namespace warpfit {

/// `text`, which is UTF-8, with '?' instead of control characters; the start of it where it is long.
inline std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  std::string safe(text.substr(0, kLongest));
  for (std::size_t i = 0; i < safe.size(); ++i) {
    const auto byte = static_cast<unsigned char>(safe[i]);
    const bool is_c1 = i > 0 && safe[i - 1] == '\xC2' && byte < 0xA0;  // U+0080 to U+009F
    if (is_c1) safe[i - 1] = '?';
    if (byte < 0x20 || byte == 0x7F || is_c1) safe[i] = '?';
  }
  if (text.size() <= kLongest) return safe;
  while ((static_cast<unsigned char>(text[safe.size()]) & 0xC0) == 0x80)
    safe.pop_back();  // no half of a letter
  return safe + "...";
}

}  // namespace warpfit
