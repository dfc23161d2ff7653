// Runs the warpfit program as a separate process.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace warpfit::test {

struct Outcome {
  int exit_code = -1;  ///< 128 + the signal number if the process was killed by a signal
  std::string out;
  std::string error;
  double seconds = 0;
  double cpu_seconds = 0;  ///< CPU time, which does not depend on other processes' load
  long peak_kilobytes = 0;
};

/// The path of a program in the folder of the test programs.
std::string program_path(const std::string& name = "warpfit");

/// Restores the default action of signals that a shell ignores for background jobs and nohup: otherwise child
/// processes would inherit that they are ignored.
void restore_signals();

/// A running warpfit process.
class Program {
 public:
  /// `environment` is a list of NAME=VALUE, which take precedence over the environment of the tests.
  explicit Program(const std::vector<std::string>& arguments, const std::string& name = "warpfit",
                   const std::vector<std::string>& environment = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Reads the output until standard output contains `text`; returns false if the process ends first.
  bool wait_for(std::string_view text);
  void signal(int number) const;
  /// Closes the read end of the program's standard output.
  void close_out();
  /// Seconds since the start.
  [[nodiscard]] double seconds() const;
  /// Waits for the process to end; it is killed after a minute.
  Outcome finish();

 private:
  bool read_more();
  void read_from(int& descriptor, std::string& to);

  pid_t process_ = -1;
  int out_ = -1;
  int error_ = -1;
  double started_ = 0;
  Outcome outcome_;
};

Outcome run_warpfit(const std::vector<std::string>& arguments,
                    const std::vector<std::string>& environment = {});

/// The standard output of a run, which is expected to succeed and to print nothing on standard error.
std::string output_of(const std::vector<std::string>& arguments);

}  // namespace warpfit::test
