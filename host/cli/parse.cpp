// The only file that includes CLI11. CLI11 splits the command line; numbers are parsed here, since CLI11
// accepts nan as a positive number.
#include "host/cli/parse.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <array>
#include <list>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/cli/config.hpp"
#include "host/cli/help.hpp"
#include "host/cli/nearest.hpp"
#include "host/report/console.hpp"

namespace warpfit {
namespace {

// A command and its arguments.
struct Entry {
  CommandText text;
  Command command;
  Options options{};  // refers to `command`
  CLI::App* app = nullptr;
  std::vector<std::pair<const Option*, std::string>> given{};
};

template <std::size_t... kIndex>
std::list<Entry> make_entries(std::index_sequence<kIndex...>) {
  std::list<Entry> entries;
  const auto add = [&entries]<class Asked>(Asked asked) {
    auto& entry = entries.emplace_back(Entry{Asked::kText, std::move(asked)});
    entry.options = options_of(std::get<Asked>(entry.command));
  };
  (add(std::variant_alternative_t<kIndex + 1, Command>()), ...);  // the first alternative is ShowText
  return entries;
}

constexpr auto kCommands = std::make_index_sequence<std::variant_size_v<Command> - 1>();

void add_to(CLI::App& app, Entry& entry, bool& help, bool& help_all) {
  entry.app = app.add_subcommand(std::string(entry.text.name));
  entry.app->set_help_flag();
  entry.app->allow_extras();
  entry.app->add_flag("-h,--help", help);
  entry.app->add_flag("--help-all", help_all);
  for (const auto& option : entry.options) {
    const std::string flag(option.flag);
    const auto take = [&option, &entry](const std::string& given) {
      entry.given.emplace_back(&option, given);
    };
    if (option.is_switch()) {
      entry.app->add_flag_callback(flag, [take] { take("true"); });
    } else {
      entry.app->add_option_function<std::string>(flag, take)->take_last();
    }
  }
}

[[noreturn]] void refuse(std::string_view what, const std::string& given,
                         std::span<const std::string_view> known) {
  const auto meant = nearest(given, known);
  const auto hint = meant.empty() ? std::string("see --help") : fmt::format("did you mean {}?", meant);
  throw UsageError(fmt::format("unknown {} {}: {}", what, given, hint));
}

// CLI11 returns the arguments that it does not know.
void refuse_unknown(const std::vector<std::string>& left_over, const Entry* entry) {
  if (left_over.empty()) return;
  const std::string given = left_over.front().substr(0, left_over.front().find('='));
  std::vector<std::string_view> known;
  if (!given.starts_with('-')) {
    if (entry != nullptr) {
      throw UsageError(fmt::format("unexpected argument {}: see warpfit {} --help", given, entry->text.name));
    }
    for (const auto& text : command_texts()) known.push_back(text.name);
    refuse("command", given, known);
  }
  known.insert(known.end(), {"--help", "--help-all"});
  if (entry == nullptr) {
    known.emplace_back("--version");
  } else {
    for (const auto& option : entry->options) {
      if (option.flag.starts_with('-')) known.push_back(option.flag);
    }
  }
  refuse("flag", given, known);
}

void apply(Entry& entry) {
  for (const auto& [option, given] : entry.given) {
    if (option->flag == "--config") apply_config_file(given, entry.options);
  }
  for (const auto& [option, given] : entry.given) {
    if (given.empty() && option->flag.starts_with('-') && !option->may_be_empty) {
      throw UsageError(
          fmt::format("{}: the value is empty; give one, or leave {} out", option->flag, option->flag));
    }
    option->set(given);
  }
  for (const auto& option : entry.options) {
    if (!option.flag.starts_with('-') && option.get().empty()) {
      throw UsageError(fmt::format("warpfit {}: no {} given; usage: warpfit {} {}", entry.text.name,
                                   option.flag, entry.text.name, entry.text.arguments));
    }
  }
}

}  // namespace

void run(const ShowText& show) { print(show.text); }

std::span<const CommandText> command_texts() {
  static const auto texts = [] {
    std::vector<CommandText> all;
    for (const auto& entry : make_entries(kCommands)) all.push_back(entry.text);
    return all;
  }();
  return texts;
}

Command parse_command_line(int argc, const char* const* argv) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  bool help = false;
  bool help_all = false;
  bool version = false;
  app.add_flag("-h,--help", help);
  app.add_flag("--help-all", help_all);
  app.add_flag("--version", version);
  auto entries = make_entries(kCommands);
  for (auto& entry : entries) add_to(app, entry, help, help_all);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  const auto parsed = std::ranges::find_if(entries, [](const Entry& entry) { return entry.app->parsed(); });
  Entry* const entry = parsed == entries.end() ? nullptr : &*parsed;
  refuse_unknown(app.remaining(true), entry);
  if (help || help_all) {
    const auto length = help_all ? HelpLength::kAll : HelpLength::kCommon;
    return ShowText{entry != nullptr ? command_help(entry->text, entry->options, length) : program_help()};
  }
  if (version) return ShowText{version_text() + "\n"};
  if (entry == nullptr) {
    throw UsageError("no command given: try warpfit train --data DIR, or warpfit --help");
  }
  apply(*entry);
  return std::move(entry->command);
}

}  // namespace warpfit
