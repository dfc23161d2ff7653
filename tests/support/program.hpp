// Runs the warpfit program as a user does.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace warpfit::test {

struct Outcome {
  int exit_code = -1;  ///< 128 + the signal where one ended it
  std::string out;
  std::string error;
  double seconds = 0;
  double cpu_seconds = 0;  ///< of the processor, which other work does not add to
  long peak_kilobytes = 0;
};

/// The path of a program that lies beside the tests.
std::string program_path(const std::string& name = "warpfit");

/// Signals that a shell's background jobs and nohup ignore end a program again, which inherits that.
void restore_signals();

/// A running warpfit.
class Program {
 public:
  /// `environment`, each NAME=VALUE, goes before that of the tests.
  explicit Program(const std::vector<std::string>& arguments, const std::string& name = "warpfit",
                   const std::vector<std::string>& environment = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Reads its output until standard output holds `text`; false where it ended first.
  bool wait_for(std::string_view text);
  void signal(int number) const;
  /// Nobody reads its standard output from now on.
  void close_out();
  /// Since it was started.
  [[nodiscard]] double seconds() const;
  /// Waits for its end; one that takes more than a minute is killed.
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

}  // namespace warpfit::test
