// Standard error: what is worth knowing but is no result.
#pragma once

#include <string_view>

namespace warpfit {

/// Shown where details are.
void log_detail(std::string_view text);
void log_info(std::string_view text);
void log_warning(std::string_view text);
void log_error(std::string_view text);

/// From now on details too.
void show_details();
/// From now on warnings and errors only.
void silence_info();

}  // namespace warpfit
