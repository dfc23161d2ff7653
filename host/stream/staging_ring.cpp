#include "host/stream/staging_ring.hpp"

#include <utility>

namespace warpfit {

StagingRing::StagingRing(Backend& backend, std::size_t slots, std::size_t bytes_each) {
  for (std::size_t i = 0; i < slots; ++i) slots_.push_back(backend.make_staging_slot(bytes_each));
  reset();
}

StagingSlot* StagingRing::acquire() {
  StagingSlot* slot = nullptr;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || !free_.empty(); });
    if (stopped_) return nullptr;
    slot = free_.front();
    free_.pop_front();
  }
  slot->wait_until_reusable();
  return slot;
}

void StagingRing::publish(FilledSlot filled) {
  {
    const std::lock_guard lock(mutex_);
    filled_.push_back(filled);
  }
  changed_.notify_all();
}

void StagingRing::finish(std::exception_ptr failure) {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    failure_ = std::move(failure);
  }
  changed_.notify_all();
}

std::optional<FilledSlot> StagingRing::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return finished_ || !filled_.empty(); });
  if (!filled_.empty()) {
    const FilledSlot next = filled_.front();
    filled_.pop_front();
    return next;
  }
  if (failure_) std::rethrow_exception(failure_);
  return std::nullopt;
}

void StagingRing::give_back(StagingSlot* slot) {
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(slot);
  }
  changed_.notify_all();
}

void StagingRing::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

void StagingRing::reset() {
  const std::lock_guard lock(mutex_);
  filled_.clear();
  free_.clear();
  for (const auto& slot : slots_) free_.push_back(slot.get());
  finished_ = false;
  stopped_ = false;
  failure_ = nullptr;
}

}  // namespace warpfit
