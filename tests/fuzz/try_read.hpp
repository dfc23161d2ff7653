// What the targets have in common: one of several readers that an input goes through leaves it to the others
// if it refuses it, and text that is printed is checked.
#pragma once

#include <algorithm>
#include <string_view>

#include "host/base/error.hpp"
#include "tests/fuzz/target.hpp"

namespace warpfit::fuzz {

/// Calls `read`. Errors that malformed input may cause end it; InternalError does not stay here.
template <class Read>
void try_read(Read read) {
  try {
    read();
  } catch (const Error& error) {
    if (error.code() == ExitCode::kInternal) throw;
  }
}

/// Takes text that is printed of a file: it must not control the terminal.
inline void check_text(std::string_view text) {
  require(std::ranges::none_of(text,
                               [](char c) {
                                 const auto byte = static_cast<unsigned char>(c);
                                 return (byte < 0x20 && c != '\n') || byte == 0x7F;
                               }),
          "no control character is printed");
}

}  // namespace warpfit::fuzz
