// Signals that request a run to save a checkpoint and end: SIGINT (Ctrl-C), SIGTERM, SIGUSR1, SIGHUP (the
// terminal was closed).
#pragma once

#include <signal.h>

#include <array>

namespace warpfit {

constexpr std::array<int, 4> kStopSignals{SIGINT, SIGTERM, SIGUSR1, SIGHUP};

/// During its lifetime, the first of these signals only makes requested() return true. The next one ends the
/// process as usual, except that SIGHUP may arrive again. Signals that were ignored when the process started
/// stay ignored. At most one object may exist at a time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  [[nodiscard]] bool requested() const;

 private:
  std::array<struct sigaction, kStopSignals.size()> previous_{};
};

/// During its lifetime, writing to a closed pipe fails with EPIPE and does not end the process.
class IgnoredPipe {
 public:
  IgnoredPipe();
  ~IgnoredPipe();
  IgnoredPipe(const IgnoredPipe&) = delete;
  IgnoredPipe& operator=(const IgnoredPipe&) = delete;

 private:
  struct sigaction previous_ {};
};

}  // namespace warpfit
