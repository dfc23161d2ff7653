// A row of a command's table of options: the parser, --help, FLAGS.md's table and the saved config are all
// made from it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace warpfit {

/// It reads and writes a field of the command that the table was made for.
struct Option {
  std::string_view group{};  ///< heading in --help
  std::string_view flag{};   ///< "--batch-size", or "MODEL" for a positional argument
  std::string_view value{};  ///< "N"; empty for a switch and for a positional argument
  std::string help{};        ///< what it is, its unit
  std::string range{};       ///< what it may be; empty where anything
  std::string otherwise{};   ///< the default in words, where it depends on others
  bool is_number = false;
  bool in_config = true;      ///< whether a run's configuration holds it
  bool may_be_empty = false;  ///< whether the empty text is a value that differs from none
  bool is_common =
      false;  ///< whether --help shows it, if the command has so many options that others are left out
  /// The value as `set` takes it; empty where there is none.
  std::function<std::string()> get{};
  /// Errors: UsageError naming flag, value and range.
  std::function<void(std::string_view)> set{};

  [[nodiscard]] bool is_switch() const { return value.empty() && flag.starts_with('-'); }
  /// The default, of an option that is set to it.
  [[nodiscard]] std::string standard() const { return otherwise.empty() ? get() : otherwise; }
};

using Options = std::vector<Option>;

}  // namespace warpfit
