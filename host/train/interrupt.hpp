// Signals that ask a run to save a checkpoint and end: SIGINT (Ctrl-C), SIGTERM, SIGUSR1, SIGHUP (the
// terminal is closed).
#pragma once

#include <signal.h>

#include <array>

namespace warpfit {

constexpr std::array<int, 4> kStopSignals{SIGINT, SIGTERM, SIGUSR1, SIGHUP};

/// While it lives, requested() tells of the first of these signals; the next one ends the process, as without
/// it, except that SIGHUP may come again. Signals that the process was started to ignore stay ignored. One at
/// a time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  [[nodiscard]] bool requested() const;

 private:
  std::array<struct sigaction, kStopSignals.size()> before_{};
};

/// While it lives, writing to a pipe that nobody reads fails with EPIPE, instead of ending the process.
class IgnoredPipe {
 public:
  IgnoredPipe();
  ~IgnoredPipe();
  IgnoredPipe(const IgnoredPipe&) = delete;
  IgnoredPipe& operator=(const IgnoredPipe&) = delete;

 private:
  struct sigaction before_ {};
};

}  // namespace warpfit
