#include "host/report/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "host/base/terminal_text.hpp"

namespace warpfit {
namespace {

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = spdlog::stderr_color_st("warpfit");
    made->set_pattern("%^warpfit [%l]%$ %v");
    return made;
  }();
  return *instance;
}

LogHooks& hooks() {
  static LogHooks instance;
  return instance;
}

// Every message passes through this function, so that quoted files, paths, options and environment variables
// are always sanitized.
void write(spdlog::level::level_enum level, std::string_view text) {
  constexpr std::size_t kMaxSize = 4000;
  if (!logger().should_log(level)) return;
  if (hooks().before) hooks().before();
  logger().log(level, std::string_view(sanitize_for_terminal(shorten(text, kMaxSize))));
  if (hooks().after) hooks().after();
}

}  // namespace

void log_detail(std::string_view text) { write(spdlog::level::debug, text); }
void log_info(std::string_view text) { write(spdlog::level::info, text); }
void log_warning(std::string_view text) { write(spdlog::level::warn, text); }
void log_error(std::string_view text) { write(spdlog::level::err, text); }
void surround_log_messages(LogHooks given) { hooks() = std::move(given); }
void show_details() { logger().set_level(spdlog::level::debug); }
void silence_info() { logger().set_level(spdlog::level::warn); }
void show_errors_only() { logger().set_level(spdlog::level::err); }

}  // namespace warpfit
