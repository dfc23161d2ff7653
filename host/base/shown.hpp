// Text from a file, made safe for an error message: a malicious file could otherwise fill the screen or send
// control codes to the terminal.
#pragma once

#include <string>
#include <string_view>

namespace warpfit {

/// `text`, which is UTF-8, with '?' instead of each control character; cut after 80 bytes.
inline std::string shown(std::string_view text) {
  constexpr std::size_t kMaxSize = 80;
  std::string safe(text.substr(0, kMaxSize));
  for (std::size_t i = 0; i < safe.size(); ++i) {
    const auto byte = static_cast<unsigned char>(safe[i]);
    const bool is_c1 = i > 0 && safe[i - 1] == '\xC2' && byte < 0xA0;  // U+0080 to U+009F
    if (is_c1) safe[i - 1] = '?';
    if (byte < 0x20 || byte == 0x7F || is_c1) safe[i] = '?';
  }
  if (text.size() <= kMaxSize) return safe;
  while ((static_cast<unsigned char>(text[safe.size()]) & 0xC0) == 0x80)
    safe.pop_back();  // remove partial character
  return safe + "...";
}

}  // namespace warpfit
