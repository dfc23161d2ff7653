#include "host/report/line_signals.hpp"

#include <poll.h>
#include <unistd.h>

#include <atomic>

namespace warpfit {
namespace {

std::atomic<bool> is_shown = false;  // any thread may run the handler
static_assert(std::atomic<bool>::is_always_lock_free);

// A terminal that is stopped with Ctrl-S would block the process, which then could not be ended.
bool can_write() {
  constexpr int kMilliseconds = 100;
  pollfd terminal{STDERR_FILENO, POLLOUT, 0};
  return poll(&terminal, 1, kMilliseconds) == 1 && (terminal.revents & POLLOUT) != 0;
}

// Replaces the action of a signal if it is `from`.
void replace_action(int number, void (*from)(int), void (*to)(int)) {
  struct sigaction action {};
  if (sigaction(number, nullptr, &action) != 0 || action.sa_handler != from) return;
  action = {};
  action.sa_handler = to;
  sigaction(number, &action, nullptr);
}

}  // namespace

void erase_line_and_end(int signal_number) {
  if (is_shown && tcgetpgrp(STDERR_FILENO) == getpgrp() && can_write()) {
    // The process ends whether or not this succeeds.
    [[maybe_unused]] const auto written = write(STDERR_FILENO, kEraseLine.data(), kEraseLine.size());
  }
  signal(signal_number, SIG_DFL);
  raise(signal_number);  // blocked until the handler returns
}

LineSignals::LineSignals() {
  for (const int number : kSignals) replace_action(number, SIG_DFL, erase_line_and_end);
}

LineSignals::~LineSignals() {
  for (const int number : kSignals) replace_action(number, erase_line_and_end, SIG_DFL);
  is_shown = false;
}

void LineSignals::set_shown(bool shown) { is_shown = shown; }

}  // namespace warpfit
