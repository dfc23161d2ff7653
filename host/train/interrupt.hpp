// Signals that ask a run to save itself and end: SIGINT (Ctrl-C), SIGTERM, SIGUSR1.
#pragma once

#include <signal.h>

#include <array>

namespace warpfit {

/// While it lives the first of these signals is taken note of; another one ends the process, as without it.
/// One at a time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  [[nodiscard]] bool requested() const;

 private:
  std::array<struct sigaction, 3> before_{};
};

}  // namespace warpfit
