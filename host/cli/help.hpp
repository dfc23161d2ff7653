// Texts generated from the tables of options.
#pragma once

#include <string>

#include "host/cli/commands.hpp"

namespace warpfit {

/// `warpfit --help`
std::string program_help();
/// Which options `--help` (kCommon) and `--help-all` (kAll) list.
enum class HelpLength { kCommon, kAll };
/// `warpfit COMMAND --help`: options with description, range and default. With kCommon, only the common
/// options are listed if there are any. `options` must have their default values.
std::string command_help(const CommandText& command, const Options& options, HelpLength length);
/// The same information as a Markdown table, for FLAGS.md.
std::string options_markdown(const Options& options);
/// "warpfit 0.1.0"
std::string version_text();

}  // namespace warpfit
