// Texts made from the table of options.
#pragma once

#include <string>

namespace warpfit {

/// `warpfit --help`
std::string program_help();
/// `warpfit train --help`: every flag with its meaning, range and default.
std::string train_help();
/// The same as the Markdown table in README.
std::string train_options_markdown();
/// "warpfit 0.1.0"
std::string version_text();

}  // namespace warpfit
