// Parses the configuration and reports failures.
#include <charconv>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/emulation/emulation.hpp"
#include "tests/emulation/grid.hpp"
#include "tests/emulation/sanitizer.hpp"

namespace warpfit::emulation {
namespace {

[[noreturn]] void refuse(std::string_view item) {
  throw std::invalid_argument(
      "WARPFIT_EMULATION: cannot understand '" + std::string(item) +
      "': use order=forward|reverse|random, streams=eager|lazy, failure=abort|throw, seed=N, "
      "memory=BYTES[K|M|G], pinned=BYTES[K|M|G], devices=N, device_error=N, "
      "multiprocessors=N, resident_blocks=N, "
      "lost_block=N, nccl_version=N, fail=[FUNCTION@]CALL:ERROR, trap=0|1");
}

std::size_t number(std::string_view text, std::string_view item) {
  std::size_t value = 0;
  std::size_t scale = 1;
  const std::size_t suffix =
      text.empty() ? std::string_view::npos : std::string_view("KMG").find(text.back());
  if (suffix != std::string_view::npos) {
    scale = std::size_t{1} << (10 * (suffix + 1));
    text.remove_suffix(1);
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) refuse(item);
  return value * scale;
}

void set_fault(Config& config, std::string_view value, std::string_view item) {
  const std::size_t at = value.find('@');
  if (at != std::string_view::npos) config.fail_function = value.substr(0, at);
  const std::string_view rest = at != std::string_view::npos ? value.substr(at + 1) : value;
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos) refuse(item);
  config.fail_at = static_cast<int>(number(rest.substr(0, colon), item));
  config.fail_error = static_cast<int>(number(rest.substr(colon + 1), item));
}

void set(Config& config, std::string_view item) {
  const std::size_t equals = item.find('=');
  if (equals == std::string_view::npos) refuse(item);
  const std::string_view name = item.substr(0, equals);
  const std::string_view value = item.substr(equals + 1);
  const auto is = [&](std::string_view what, std::string_view choice) {
    return name == what && value == choice;
  };
  if (is("order", "forward"))
    config.order = Config::Order::kForward;
  else if (is("order", "reverse"))
    config.order = Config::Order::kReverse;
  else if (is("order", "random"))
    config.order = Config::Order::kRandom;
  else if (is("streams", "eager"))
    config.streams = Config::Streams::kEager;
  else if (is("streams", "lazy"))
    config.streams = Config::Streams::kLazy;
  else if (is("failure", "abort"))
    config.on_failure = Config::OnFailure::kAbort;
  else if (is("failure", "throw"))
    config.on_failure = Config::OnFailure::kThrow;
  else if (name == "seed")
    config.seed = static_cast<unsigned>(number(value, item));
  else if (name == "memory")
    config.device_memory = number(value, item);
  else if (name == "pinned")
    config.pinned_memory = number(value, item);
  else if (name == "devices")
    config.devices = static_cast<int>(number(value, item));
  else if (name == "device_error")
    config.device_error = static_cast<int>(number(value, item));
  else if (name == "multiprocessors")
    config.multiprocessors = static_cast<int>(number(value, item));
  else if (name == "resident_blocks")
    config.resident_blocks = static_cast<int>(number(value, item));
  else if (name == "nccl_version")
    config.nccl_version = static_cast<int>(number(value, item));
  else if (name == "lost_block")
    config.lost_block = static_cast<int>(number(value, item));
  else if (name == "fail")
    set_fault(config, value, item);
  else if (name == "trap")
    config.trap_host_access = number(value, item) != 0;
  else
    refuse(item);
}

}  // namespace

Config parse_config(std::string_view text) {
  Config config;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    set(config, text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return config;
}

void fail(const char* format, ...) {
  const sanitizer::Ignore ignore;
  char message[4096];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  const std::string text = running_location() + message;
  if (config().on_failure == Config::OnFailure::kThrow) throw Failure(text);
  std::fprintf(stderr, "CUDA emulation: %s\n", text.c_str());
  std::fflush(stderr);
  if (sanitizer::thread() || sanitizer::address())
    std::_Exit(134);  // abort() would make them print a report too
  std::abort();
}

}  // namespace warpfit::emulation
