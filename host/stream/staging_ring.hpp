// A ring of staging slots between one reader thread, which fills them, and the trainer, which uses them up.
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

/// A slot and what it holds.
struct FilledSlot {
  StagingSlot* slot = nullptr;
  std::int64_t first = 0;  ///< samples of the pass before it
  std::int64_t samples = 0;
};

class StagingRing {
 public:
  StagingRing(Backend& backend, std::size_t slots, std::size_t bytes_each);

  // The reader's side.
  /// Waits for a free slot; nullptr once the ring was stopped.
  StagingSlot* acquire();
  void publish(FilledSlot filled);
  /// The pass is over: take() gives what was published, then nothing, or then throws `failure`.
  void finish(std::exception_ptr failure);

  // The trainer's side.
  /// Waits for the next filled slot; nothing at the end of the pass. Throws the reader's failure.
  std::optional<FilledSlot> take();
  void give_back(StagingSlot* slot);
  /// Makes acquire() return at once, so that the reader ends.
  void stop();
  /// Takes back all slots for a new pass. Only while no reader runs.
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
