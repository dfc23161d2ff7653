// Runs a command on a pseudo-terminal, as a user at a terminal does.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace warpfit::test {

struct TerminalOutcome {
  int exit_code = -1;  ///< 128 + the signal number if the process was killed by a signal
  std::string output;  ///< of standard output and standard error, as the terminal received it
};

/// A running command. It leads a session, and its process group is in the foreground of the terminal.
class TerminalProgram {
 public:
  /// The first word is the path of the program, or its name on the PATH. `kind` is the value of TERM.
  TerminalProgram(std::vector<std::string> command, unsigned short columns,
                  const std::string& kind = "xterm");
  ~TerminalProgram();
  TerminalProgram(const TerminalProgram&) = delete;
  TerminalProgram& operator=(const TerminalProgram&) = delete;

  /// Reads the output until it contains `text`; returns false if the process ends first.
  bool wait_for(std::string_view text);
  void signal(int number) const;
  /// Stops the output, as Ctrl-S does.
  void stop_output() const;
  /// Reads the output to its end and waits for the process, which is killed after a minute.
  TerminalOutcome finish();

 private:
  bool read_more();

  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  pid_t process_ = -1;
  int terminal_ = -1;
  std::string output_;
};

}  // namespace warpfit::test
