// Standard error: what is worth knowing but is no result. Messages may quote text of any origin: it is
// sanitized (host/base/terminal_text.hpp), and a message of more than 4000 bytes keeps its beginning and end.
#pragma once

#include <functional>
#include <string_view>

namespace warpfit {

/// Shown where details are.
void log_detail(std::string_view text);
void log_info(std::string_view text);
void log_warning(std::string_view text);
void log_error(std::string_view text);

/// What happens before and after each message is written, such as erasing and drawing a progress line.
struct LogHooks {
  std::function<void()> before{}, after{};
};
/// From now on these; without functions, nothing more.
void surround_log_messages(LogHooks hooks);

/// From now on details too.
void show_details();
/// From now on warnings and errors only.
void silence_info();

}  // namespace warpfit
