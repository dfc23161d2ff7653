#include "host/cli/help.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "host/cli/parse.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kExitCodes =
    "Exit codes: 0 done; 1 internal error; 2 usage; 3 bad data; 4 bad model or checkpoint; 5 I/O;\n"
    "6 device; 7 out of memory; 8 diverged; 9 process lost; 75 interrupted, checkpoint saved.\n";

constexpr std::size_t kWidth = 100;  // columns
constexpr std::size_t kIndent = 25;  // column of the flags' descriptions

// Appends the words to a line and breaks it if it would be too long.
std::string wrapped(std::string line, std::string_view words) {
  std::string text;
  while (!words.empty()) {
    const auto word = words.substr(0, words.find(' '));
    words.remove_prefix(std::min(word.size() + 1, words.size()));
    if (line.size() > kIndent && line.size() + 1 + word.size() > kWidth) {
      text += line + '\n';
      line = std::string(kIndent, ' ');
    }
    line += fmt::format("{}{}", line.size() > kIndent ? " " : "", word);
  }
  return text + line + '\n';
}

std::string line_of(const std::string& usage, const std::string& meaning) {
  if (usage.size() + 3 > kIndent)
    return fmt::format("  {}\n", usage) + wrapped(std::string(kIndent, ' '), meaning);
  return wrapped(fmt::format("{:<{}}", "  " + usage, kIndent), meaning);
}

std::string usage(const Option& option) {
  return option.value.empty() ? std::string(option.flag) : fmt::format("{} {}", option.flag, option.value);
}

std::string usage(const CommandText& command) {
  return fmt::format("warpfit {}{}{}", command.name, command.arguments.empty() ? "" : " ", command.arguments);
}

}  // namespace

std::string version_text() { return "warpfit " WARPFIT_VERSION; }

std::string program_help() {
  std::string text =
      fmt::format("{}: trains classifiers on IDX files, with PyTorch's numbers.\n\nUsage:\n", version_text());
  for (const auto& command : command_texts()) {
    text += fmt::format("  {:<44} {}\n", usage(command), command.summary);
  }
  return text + fmt::format("  {:<44} {}\n  warpfit --version | --help\n\n{}", "warpfit COMMAND --help",
                            "its options", kExitCodes);
}

std::string command_help(const CommandText& command, const Options& options, HelpLength length) {
  const auto common = std::ranges::count_if(options, &Option::is_common);
  const bool only_common = length == HelpLength::kCommon && common > 0;
  std::string text = fmt::format("{}\nUsage: {}\n", command.description, usage(command));
  std::string_view group;
  for (const auto& option : options) {
    if (only_common && !option.is_common) continue;
    if (option.group != group) {
      group = option.group;
      text += fmt::format("\n{}:\n", group);
    }
    std::string meaning = option.help;
    if (!option.range.empty()) meaning += fmt::format("; {}", option.range);
    if (const auto value = option.standard(); !value.empty()) meaning += fmt::format(" [default: {}]", value);
    text += line_of(usage(option), meaning);
  }
  if (common > 0) text += '\n';
  text += line_of("-h, --help", "print this help");
  if (common > 0) text += line_of("--help-all", fmt::format("print all {} options", options.size()));
  return text + '\n' + std::string(kExitCodes);
}

std::string options_markdown(const Options& options) {
  std::string text = "| flag | meaning | range | default |\n|---|---|---|---|\n";
  for (const auto& option : options) {
    text +=
        fmt::format("| `{}` | {} | {} | {} |\n", usage(option), option.help, option.range, option.standard());
  }
  return text;
}

}  // namespace warpfit
