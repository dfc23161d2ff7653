// Text of unknown origin, made safe to print: a file name, a value from a file or the environment must not
// control the terminal, imitate another line of output, or fill the screen.
#pragma once

#include <fmt/core.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "host/base/utf8.hpp"

namespace warpfit {

/// Whether a terminal acts on the character instead of drawing it: the control characters C0, DEL and C1, the
/// separators of lines and paragraphs, and the marks that reverse the direction of text.
inline bool is_terminal_control(std::uint32_t code) {
  const auto within = [code](std::uint32_t first, std::uint32_t last) {
    return code >= first && code <= last;
  };
  return code < 0x20 || within(0x7F, 0x9F) || code == 0x61C || within(0x200E, 0x200F) ||
         within(0x2028, 0x202E) || within(0x2066, 0x2069);
}

/// `text` with each byte of a control character or of invalid UTF-8 written in the form \x1b. A newline is
/// kept and the line after it is indented, so that it cannot be mistaken for a separate message.
inline std::string sanitize_for_terminal(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const auto [size, code] = first_character(text);
    const auto bytes = text.substr(0, size > 0 ? size : 1);
    if (code == '\n' && size == 1) {
      safe += "\n  ";
    } else if (size > 0 && !is_terminal_control(code)) {
      safe += bytes;
    } else {
      for (const char byte : bytes) safe += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(byte));
    }
    text.remove_prefix(bytes.size());
  }
  return safe;
}

/// `text` if it has at most `max_size` bytes. Otherwise half as many bytes of its beginning and of its end,
/// cut between characters, around a note of how many are left out.
inline std::string shorten(std::string_view text, std::size_t max_size) {
  if (text.size() <= max_size) return std::string(text);
  constexpr std::size_t kMaxContinuationBytes = 3;
  const auto is_within_character = [text](std::size_t at) {
    return (static_cast<std::uint8_t>(text[at]) & 0xC0U) == 0x80;
  };
  std::size_t head = max_size / 2;
  std::size_t tail = text.size() - max_size / 2;
  for (std::size_t i = 0; i < kMaxContinuationBytes && head > 0 && is_within_character(head); ++i) --head;
  for (std::size_t i = 0; i < kMaxContinuationBytes && tail < text.size() && is_within_character(tail); ++i)
    ++tail;
  return fmt::format("{}...({} bytes left out)...{}", text.substr(0, head), tail - head, text.substr(tail));
}

}  // namespace warpfit
