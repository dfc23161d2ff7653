// Helpers for all system calls on files.
#pragma once

#include <fmt/core.h>
#include <sys/stat.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "host/base/error.hpp"

namespace warpfit {

/// The result of `call`, which is repeated while it returns -1 with errno EINTR because a signal interrupted
/// it.
template <class Call>
auto retried(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

/// Throws IoError: "PATH: ACTION: reason". `action`: "cannot ...".
[[noreturn]] inline void fail_io(std::string_view path, std::string_view action, int error = errno) {
  throw IoError(fmt::format("{}: {}: {}", path, action, std::generic_category().message(error)));
}

/// The result of fstat() for an open file. Errors: IoError.
inline struct stat status_of(int descriptor, std::string_view path) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) fail_io(path, "cannot stat");
  return status;
}

}  // namespace warpfit
