// Helpers shared by the targets: an input goes through several readers, and one that rejects it must not stop
// the others; text that is printed is checked.
#pragma once

#include <algorithm>
#include <string_view>

#include "host/base/error.hpp"
#include "tests/fuzz/target.hpp"

namespace warpfit::fuzz {

/// Calls `read` and catches the errors that malformed input may cause; an InternalError is propagated.
template <class Read>
void try_read(Read read) {
  try {
    read();
  } catch (const Error& error) {
    if (error.code() == ExitCode::kInternal) throw;
  }
}

/// Checks text that is printed about a file: it must not contain terminal control sequences.
inline void check_text(std::string_view text) {
  require(std::ranges::none_of(text,
                               [](char c) {
                                 const auto byte = static_cast<unsigned char>(c);
                                 return (byte < 0x20 && c != '\n') || byte == 0x7F;
                               }),
          "no control character is printed");
}

}  // namespace warpfit::fuzz
