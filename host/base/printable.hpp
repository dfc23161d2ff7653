// Text from a file, safe to show: a name in it must not steer the terminal or break a table's line.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

#include "host/base/terminal_text.hpp"

namespace warpfit {

/// ASCII as it is; all else, control characters among it, byte by byte as \x0a.
inline std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      shown += c;
    } else {
      shown += fmt::format("\\x{:02x}", byte);
    }
  }
  return shown;
}

/// Likewise of `text` shortened to `max_size` bytes.
inline std::string printable(std::string_view text, std::size_t max_size) {
  return printable(shorten(text, max_size));
}

}  // namespace warpfit
