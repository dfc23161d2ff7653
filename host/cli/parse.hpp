// From the command line to what it asks for.
#pragma once

#include <string>
#include <variant>

#include "host/cli/options.hpp"

namespace warpfit {

/// Text to print and be done: --help, --version.
struct ShowText {
  std::string text;
};

using Command = std::variant<ShowText, TrainCommand>;

/// Errors: UsageError; an unknown flag or command is answered with the nearest known one.
Command parse_command_line(int argc, const char* const* argv);

}  // namespace warpfit
