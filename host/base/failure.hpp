// What an exception means for the program: its exit code and its message.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "host/base/error.hpp"

namespace warpfit {

struct Failure {
  ExitCode code = ExitCode::kInternal;
  std::string message;
};

/// `memory_advice` is added to the message if memory ran out.
inline Failure failure_of(std::exception_ptr exception, std::string_view memory_advice = "") {
  try {
    std::rethrow_exception(std::move(exception));
  } catch (const Error& error) {
    return {error.code(), error.what()};
  } catch (const std::bad_alloc&) {
    return {ExitCode::kOutOfMemory, "out of memory" + std::string(memory_advice)};
  } catch (const std::exception& error) {
    return {ExitCode::kInternal, std::string("internal error: ") + error.what()};
  }
}

}  // namespace warpfit
