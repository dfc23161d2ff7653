// Text from a file, made safe to print in a table: a name must not control the terminal or break the line.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

#include "host/base/terminal_text.hpp"

namespace warpfit {

/// Printable ASCII is unchanged; every other byte, such as a control character, is written as \x0a.
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

/// Likewise for `text` shortened to `max_size` bytes.
inline std::string printable(std::string_view text, std::size_t max_size) {
  return printable(shorten(text, max_size));
}

}  // namespace warpfit
