// Messages on standard error: information, warnings and errors, but no results. Messages may quote text of
// any origin: they are sanitized (host/base/terminal_text.hpp), and of a message longer than 4000 bytes only
// the beginning and the end are kept.
#pragma once

#include <functional>
#include <string_view>

namespace warpfit {

/// Shown only after show_details().
void log_detail(std::string_view text);
void log_info(std::string_view text);
void log_warning(std::string_view text);
void log_error(std::string_view text);

/// Functions that run before and after each message is written, for example to erase and redraw a progress
/// line.
struct LogHooks {
  std::function<void()> before{}, after{};
};
/// Replaces the hooks; empty functions remove them.
void surround_log_messages(LogHooks hooks);

/// From now on, shows details too.
void show_details();
/// From now on, shows only warnings and errors.
void silence_info();
/// From now on, shows only errors.
void show_errors_only();

}  // namespace warpfit
