// Determines how many batches to queue before the next check whether to stop: as many as take some tenths of
// a second, so that the program reacts to a signal quickly for any size of network.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "host/parallel/agreement.hpp"

namespace warpfit {

class Pace {
 public:
  /// Returns the number of batches to queue next, at most `max_batches`, and starts the clock.
  std::int64_t next(std::int64_t max_batches) {
    started_ = Clock::now();
    cut_ = batches_ < max_batches;
    return std::min(batches_, max_batches);
  }

  /// Whether next() returned fewer batches than `max_batches`. If so, wait for them to complete and call
  /// finished().
  [[nodiscard]] bool is_cut() const { return cut_; }

  /// All ranks go on at the pace of the slowest one. Collective.
  void finished(Communicator& communicator) {
    finished();
    if (communicator.is_alone()) return;
    for (const auto batches : gather_values(communicator, batches_)) batches_ = std::min(batches_, batches);
  }
  void finished() {
    constexpr std::chrono::duration<double> kShort{0.1};
    constexpr std::chrono::duration<double> kLong{0.5};
    const auto took = Clock::now() - started_;
    if (took < kShort) batches_ *= 2;
    if (took > kLong) batches_ = std::max<std::int64_t>(1, batches_ / 2);
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::int64_t batches_ = 1;
  bool cut_ = false;
  Clock::time_point started_;
};

}  // namespace warpfit
