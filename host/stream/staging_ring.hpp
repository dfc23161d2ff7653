// A ring of staging slots between one reader thread, which fills them, and the trainer, which consumes them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "host/backend/backend.hpp"

namespace warpfit {

/// A slot and the samples in it.
struct FilledSlot {
  StagingSlot* slot = nullptr;
  std::int64_t first = 0;  ///< number of samples of the pass before it
  std::int64_t samples = 0;
};

class StagingRing {
 public:
  StagingRing(Backend& backend, std::size_t slots, std::size_t bytes_each);

  // Functions for the reader.
  /// Waits for a free slot; nullptr once the ring was stopped.
  StagingSlot* acquire();
  void publish(FilledSlot filled);
  /// Ends the pass: take() returns the published slots, then nothing or, if `failure` is set, throws it.
  void finish(std::exception_ptr failure);

  // Functions for the trainer.
  /// Waits for the next filled slot; returns nothing at the end of the pass. Throws the reader's failure.
  std::optional<FilledSlot> take();
  void give_back(StagingSlot* slot);
  /// Makes acquire() return at once, so that the reader ends.
  void stop();
  /// Returns all slots to the ring for a new pass. Must be called only while no reader is running.
  void reset();

 private:
  std::vector<std::unique_ptr<StagingSlot>> slots_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<StagingSlot*> free_;
  std::deque<FilledSlot> filled_;
  bool finished_ = false;
  bool stopped_ = false;
  std::exception_ptr failure_;
};

}  // namespace warpfit
