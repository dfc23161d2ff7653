// Texts made from the tables of options.
#pragma once

#include <string>

#include "host/cli/commands.hpp"

namespace warpfit {

/// `warpfit --help`
std::string program_help();
/// Of `--help` and `--help-all`.
enum class HelpLength { kCommon, kAll };
/// `warpfit COMMAND --help`: options with meaning, range and default; if some of them are common, only those,
/// unless all are asked for. `options` are set to their defaults.
std::string command_help(const CommandText& command, const Options& options, HelpLength length);
/// The same as a Markdown table, for FLAGS.md.
std::string options_markdown(const Options& options);
/// "warpfit 0.1.0"
std::string version_text();

}  // namespace warpfit
