// Texts made from the tables of options.
#pragma once

#include <string>

#include "host/cli/commands.hpp"

namespace warpfit {

/// `warpfit --help`
std::string program_help();
/// `warpfit COMMAND --help`: every flag with its meaning, range and default. `options` are set to their
/// defaults.
std::string command_help(const CommandText& command, const Options& options);
/// The same as a Markdown table, for FLAGS.md.
std::string options_markdown(const Options& options);
/// "warpfit 0.1.0"
std::string version_text();

}  // namespace warpfit
