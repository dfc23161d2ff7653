// Options as a TOML file with one key per flag: `lr = 0.001` for --lr 0.001. TOML strings are UTF-8, but a
// path may contain any bytes: such a text is written as `data = { percent-encoded = "/data/%FF" }`. Instead
// of the key `network`, a file may have the tables [[layer]] of host/cli/layer_tables.hpp.
#pragma once

#include <string>
#include <string_view>

#include "host/cli/options.hpp"
#include "host/files/folder.hpp"

namespace warpfit {

/// The values of the options, so that reading the text restores them. Options without a value are omitted.
std::string config_text(const Options& options);

/// Sets options from such a text; `path` is for messages. Errors: UsageError naming file, line and key if the
/// text is not valid TOML, a key is not an option, or a value is invalid for its option.
void apply_config(std::string_view text, const std::string& path, const Options& options);

/// Likewise from a file. Errors: also IoError.
void apply_config_file(const FileLocation& location, const Options& options);

}  // namespace warpfit
