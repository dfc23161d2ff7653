// From the command line to what it asks for.
#pragma once

#include <span>
#include <string>
#include <variant>

#include "host/cli/commands.hpp"

namespace warpfit {

/// Text to print and be done: --help, --version.
struct ShowText {
  std::string text;
};

using Command = std::variant<ShowText, TrainCommand, ResumeCommand, InspectCommand, DevicesCommand,
                             EvalCommand, PredictCommand, ExportCommand, BenchCommand>;

/// Errors: UsageError; an unknown flag or command is answered with the nearest known one.
Command parse_command_line(int argc, const char* const* argv);

void run(const ShowText& show);

/// Of all commands, in the order of --help.
std::span<const CommandText> command_texts();

}  // namespace warpfit
