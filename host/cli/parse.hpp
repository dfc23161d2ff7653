// Parses the command line.
#pragma once

#include <span>
#include <string>
#include <variant>

#include "host/cli/commands.hpp"

namespace warpfit {

/// Text to print before exiting: --help, --version.
struct ShowText {
  std::string text;
};

using Command = std::variant<ShowText, TrainCommand, ResumeCommand, InspectCommand, DevicesCommand,
                             EvalCommand, PredictCommand, ExportCommand, BenchCommand>;

/// Errors: UsageError; for an unknown flag or command, the message suggests the nearest known one.
Command parse_command_line(int argc, const char* const* argv);

void run(const ShowText& show);

/// The texts of all commands, in the order of --help.
std::span<const CommandText> command_texts();

}  // namespace warpfit
