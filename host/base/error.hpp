// The base class of all errors. A message says what was being done, to what, what was expected and what to
// do; the class determines the program's exit code.
#pragma once

#include <stdexcept>
#include <string>

namespace warpfit {

/// The program's exit codes, as documented in the README.
enum class ExitCode : int {
  kDone = 0,
  kInternal = 1,     ///< an error in warpfit itself
  kUsage = 2,        ///< the command line, or options that do not match the data
  kBadData = 3,      ///< a data file with invalid contents
  kBadModel = 4,     ///< a model or checkpoint that cannot be used
  kIo = 5,           ///< a file that cannot be read or written
  kDevice = 6,       ///< the device does not exist or has failed
  kOutOfMemory = 7,  ///< host or device memory ran out
  kDiverged = 8,     ///< the loss is no longer a finite number
  kRankLost = 9,     ///< another process of the run has ended or cannot be reached
  kInterrupted = 75  ///< stopped by a signal, checkpoint saved
};

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// An error whose class alone determines the exit code.
template <ExitCode kCode>
class ErrorOf : public Error {
 public:
  explicit ErrorOf(const std::string& message) : Error(kCode, message) {}
};

using InternalError = ErrorOf<ExitCode::kInternal>;
using UsageError = ErrorOf<ExitCode::kUsage>;
using DataError = ErrorOf<ExitCode::kBadData>;
using ModelError = ErrorOf<ExitCode::kBadModel>;
using IoError = ErrorOf<ExitCode::kIo>;
using DeviceError = ErrorOf<ExitCode::kDevice>;
using OutOfMemory = ErrorOf<ExitCode::kOutOfMemory>;
using Interrupted = ErrorOf<ExitCode::kInterrupted>;
using DivergedError = ErrorOf<ExitCode::kDiverged>;
using CommunicationError = ErrorOf<ExitCode::kRankLost>;

}  // namespace warpfit
