#include "host/train/interrupt.hpp"

#include <atomic>
#include <cstddef>

namespace warpfit {
namespace {

constexpr std::array<int, 3> kSignals{SIGINT, SIGTERM, SIGUSR1};

std::atomic<bool> signalled = false;  // any thread may be the one that is interrupted
static_assert(std::atomic<bool>::is_always_lock_free);

// One signal is enough: the next one, of whatever kind, finds no handler.
void take_note(int) {
  signalled = true;
  for (const int number : kSignals) signal(number, SIG_DFL);
}

}  // namespace

Interrupt::Interrupt() {
  signalled = false;
  struct sigaction action {};
  action.sa_handler = take_note;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before_[i]);
}

Interrupt::~Interrupt() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
}

bool Interrupt::requested() const { return signalled; }

}  // namespace warpfit
