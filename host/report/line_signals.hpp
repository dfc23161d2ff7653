// Erases the progress line before a signal ends the process, whose shell would otherwise write its prompt
// into the line.
#pragma once

#include <signal.h>

#include <array>
#include <string_view>

namespace warpfit {

/// Moves the cursor to the start of the line and erases to the end of the screen, which also removes what a
/// narrower window has wrapped.
constexpr std::string_view kEraseLine = "\r\x1b[J";

/// Signal handler: erases the line on standard error if one is shown, then ends the process by the signal's
/// default action. Only async-signal-safe functions are called.
void erase_line_and_end(int signal_number);

/// While it lives, erase_line_and_end handles the signals that a user or a system sends to end a process, but
/// only those that had the default action. One at a time.
class LineSignals {
 public:
  LineSignals();
  ~LineSignals();
  LineSignals(const LineSignals&) = delete;
  LineSignals& operator=(const LineSignals&) = delete;

  /// Call it before the line is drawn and after it is erased.
  void set_shown(bool shown);

 private:
  static constexpr std::array<int, 5> kSignals{SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGHUP};
};

}  // namespace warpfit
