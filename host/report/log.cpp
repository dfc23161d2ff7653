#include "host/report/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

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

}  // namespace

void log_detail(std::string_view text) { logger().debug(text); }
void log_info(std::string_view text) { logger().info(text); }
void log_warning(std::string_view text) { logger().warn(text); }
void log_error(std::string_view text) { logger().error(text); }
void show_details() { logger().set_level(spdlog::level::debug); }
void silence_info() { logger().set_level(spdlog::level::warn); }

}  // namespace warpfit
