// The command line, which is parsed but not run: each line of the input is an argument. Accepted options can
// be set to the values that they report.
#include <fmt/core.h>

#include <algorithm>
#include <sstream>
#include <variant>

#include "host/cli/parse.hpp"
#include "tests/fuzz/target.hpp"

namespace warpfit::fuzz {
namespace {

// Calls use(command, options) for each command with its default options.
template <class Use, std::size_t... kIndex>
void for_each_command(Use use, std::index_sequence<kIndex...>) {
  const auto call = [&]<class Asked>(Asked command) {
    const auto options = options_of(command);
    use(Asked::kText, options);
  };
  (call(std::variant_alternative_t<kIndex + 1, Command>()), ...);  // the first alternative is ShowText
}

template <class Use>
void for_each_command(Use use) {
  for_each_command(use, std::make_index_sequence<std::variant_size_v<Command> - 1>());
}

void check(ShowText& /*help*/) {}

template <class Asked>
void check(Asked& command) {
  Asked again;
  const auto options = options_of(command);
  const auto copies = options_of(again);
  for (std::size_t i = 0; i < options.size(); ++i) {
    const auto value = options[i].get();
    if (!value.empty()) copies[i].set(value);
    require(value.empty() || copies[i].get() == value, fmt::format("{} keeps its value", options[i].flag));
  }
}

}  // namespace

void read(Input input) {
  std::vector<std::string> arguments{"warpfit"};
  std::istringstream lines{std::string(text_of(input))};
  for (std::string line; std::getline(lines, line);)
    arguments.emplace_back(line.c_str());  // up to the first NUL
  std::vector<const char*> argv;
  for (const auto& argument : arguments) argv.push_back(argument.c_str());
  auto command = parse_command_line(static_cast<int>(argv.size()), argv.data());
  std::visit([](auto& asked) { check(asked); }, command);
}

// Each command with all of its options at their defaults, once as two arguments and once as --flag=value.
std::vector<Bytes> seeds() {
  std::vector<Bytes> all{bytes_of("--help"), bytes_of("--version"), bytes_of("train\n--help")};
  for_each_command([&all](const CommandText& text, const Options& options) {
    for (const char* join : {"\n", "="}) {
      std::string line(text.name);
      for (const auto& option : options) {
        if (!option.flag.starts_with('-')) {
          line += "\nfile";
        } else if (option.is_switch()) {
          line += fmt::format("\n{}", option.flag);
        } else if (const auto value = option.get(); !value.empty()) {
          line += fmt::format("\n{}{}{}", option.flag, join, value);
        }
      }
      all.push_back(bytes_of(line));
    }
  });
  return all;
}

std::vector<std::string> words() {
  std::vector<std::string> all{"--",
                               "-h",
                               "--no-",
                               "\n-",
                               "=",
                               "nan",
                               "inf",
                               "-0",
                               "1e308",
                               "0x1p3",
                               "9223372036854775807",
                               "18446744073709551616",
                               "%%",
                               "[",
                               "]",
                               "{",
                               "'",
                               "\""};
  for_each_command([&all](const CommandText& text, const Options& options) {
    all.emplace_back(text.name);
    for (const auto& option : options) all.emplace_back(option.flag);
  });
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace warpfit::fuzz
