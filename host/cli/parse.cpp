// The only file that includes CLI11. It splits the command line; numbers are ours to check, since CLI11 takes
// nan for a positive number.
#include "host/cli/parse.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/cli/help.hpp"
#include "host/cli/nearest.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kTrain = "train";

[[noreturn]] void refuse(std::string_view what, const std::string& given,
                         std::span<const std::string_view> known) {
  const auto meant = nearest(given, known);
  const auto hint = meant.empty() ? std::string("see --help") : fmt::format("did you mean {}?", meant);
  throw UsageError(fmt::format("unknown {} {}: {}", what, given, hint));
}

// CLI11 hands back what it could not place.
void refuse_unknown(const std::vector<std::string>& left_over, const CLI::App& train) {
  if (left_over.empty()) return;
  const std::string given = left_over.front().substr(0, left_over.front().find('='));
  if (!given.starts_with('-')) {
    if (train.parsed())
      throw UsageError(fmt::format("unexpected argument {}: see warpfit train --help", given));
    refuse("command", given, std::array{kTrain});
  }
  std::vector<std::string_view> known{"--help", "--version"};
  if (train.parsed()) {
    known.pop_back();
    for (const auto& option : train_options()) known.push_back(option.flag);
  }
  refuse("flag", given, known);
}

void add_options(CLI::App& train, TrainCommand& command) {
  for (const auto& option : train_options()) {
    const std::string flag(option.flag);
    if (option.value.empty()) {
      train.add_flag_callback(flag, [&option, &command] { option.set(command, ""); });
    } else {
      train.add_option_function<std::string>(
          flag, [&option, &command](const std::string& given) { option.set(command, given); });
    }
  }
}

}  // namespace

Command parse_command_line(int argc, const char* const* argv) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  bool help = false;
  bool version = false;
  app.add_flag("-h,--help", help);
  app.add_flag("--version", version);

  TrainCommand command;
  auto* train = app.add_subcommand(std::string(kTrain));
  train->set_help_flag();
  train->allow_extras();
  train->add_flag("-h,--help", help);
  add_options(*train, command);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  refuse_unknown(app.remaining(true), *train);
  if (help) return ShowText{train->parsed() ? train_help() : program_help()};
  if (version) return ShowText{version_text() + "\n"};
  if (!train->parsed()) throw UsageError("no command given: try warpfit train --data DIR, or warpfit --help");
  return command;
}

}  // namespace warpfit
