#include "host/train/interrupt.hpp"

#include <atomic>
#include <cstddef>

#include "host/report/line_signals.hpp"

namespace warpfit {
namespace {

std::atomic<bool> signalled = false;  // the signal may be delivered to any thread
static_assert(std::atomic<bool>::is_always_lock_free);

bool is_ignored(int number) {
  struct sigaction now {};
  return sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

// The first signal requests the run to save; the next one of any kind ends the process at once. SIGHUP is an
// exception, because when a terminal is closed it arrives twice, from the kernel and from the shell.
void take_note(int) {
  signalled = true;
  for (const int number : kStopSignals) {
    if (!is_ignored(number)) signal(number, number == SIGHUP ? SIG_IGN : erase_line_and_end);
  }
}

}  // namespace

Interrupt::Interrupt() {
  signalled = false;
  struct sigaction action {};
  action.sa_handler = take_note;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < kStopSignals.size(); ++i) {
    // Signals that the parent process has set to be ignored, as nohup does, stay ignored.
    if (is_ignored(kStopSignals[i])) action.sa_handler = SIG_IGN;
    sigaction(kStopSignals[i], &action, &previous_[i]);
    action.sa_handler = take_note;
  }
}

Interrupt::~Interrupt() {
  for (std::size_t i = 0; i < kStopSignals.size(); ++i) sigaction(kStopSignals[i], &previous_[i], nullptr);
}

bool Interrupt::requested() const { return signalled; }

IgnoredPipe::IgnoredPipe() {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &previous_);
}

IgnoredPipe::~IgnoredPipe() { sigaction(SIGPIPE, &previous_, nullptr); }

}  // namespace warpfit
