// One option of a command: the parser, --help, the table in FLAGS.md and the saved configuration are all
// generated from it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace warpfit {

/// Reads and writes a field of the command that the table was made for.
struct Option {
  std::string_view group{};  ///< heading in --help
  std::string_view flag{};   ///< "--batch-size", or "MODEL" for a positional argument
  std::string_view value{};  ///< "N"; empty for a switch and for a positional argument
  std::string help{};        ///< description and unit
  std::string range{};       ///< valid values; empty if any text is valid
  std::string otherwise{};   ///< description of the default, if it depends on other options
  bool is_number = false;
  bool in_config = true;      ///< whether it is saved in a run's configuration
  bool may_be_empty = false;  ///< whether an empty value differs from no value
  bool is_common =
      false;  ///< whether --help shows it; used by commands that have too many options to show all
  /// The value in the form that `set` accepts; empty if there is none.
  std::function<std::string()> get{};
  /// Errors: UsageError naming flag, value and range.
  std::function<void(std::string_view)> set{};

  [[nodiscard]] bool is_switch() const { return value.empty() && flag.starts_with('-'); }
  /// The text of the default; the option must be set to its default.
  [[nodiscard]] std::string standard() const { return otherwise.empty() ? get() : otherwise; }
};

using Options = std::vector<Option>;

}  // namespace warpfit
