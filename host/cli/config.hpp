// Options as a TOML file, a key a flag: `lr = 0.001` for --lr 0.001. TOML's strings are UTF-8, but a path may
// be any bytes: such a text is written as `data = { percent-encoded = "/data/%FF" }`.
#pragma once

#include <string>
#include <string_view>

#include "host/cli/options.hpp"
#include "host/files/folder.hpp"

namespace warpfit {

/// What the options are set to, so that reading it back sets them alike. An option without a value is left
/// out.
std::string config_text(const Options& options);

/// Sets options from such a text; `path` is for messages. Errors: UsageError naming file, line and key where
/// it is no TOML, a key is no option, or its value none that the option takes.
void apply_config(std::string_view text, const std::string& path, const Options& options);

/// Likewise from a file. Errors: IoError too.
void apply_config_file(const FileLocation& location, const Options& options);

}  // namespace warpfit
