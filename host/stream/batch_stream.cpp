#include "host/stream/batch_stream.hpp"

#include <algorithm>
#include <utility>

namespace warpfit {
namespace {

std::int64_t samples_per_chunk(const Dataset& dataset, std::int64_t batch_size) {
  constexpr std::int64_t kChunkBytes = 4 << 20;
  const std::int64_t batches = std::max<std::int64_t>(1, kChunkBytes / (dataset.sample_size() * batch_size));
  return std::min(dataset.size(), batches * batch_size);
}

// Three slots: one in use, one ready, one being filled.
std::size_t slots_for(const Dataset& dataset, std::int64_t chunk_samples) {
  constexpr std::int64_t kSlots = 3;
  return static_cast<std::size_t>(std::min(kSlots, (dataset.size() + chunk_samples - 1) / chunk_samples));
}

}  // namespace

Chunk::~Chunk() {
  if (slot_ == nullptr) return;
  slot_->retire();
  ring_->give_back(slot_);
}

// A slot holds the pixels of its samples, then their labels, so that one copy carries both.
BatchStream::BatchStream(Backend& backend, const Dataset& dataset, std::int64_t batch_size)
    : dataset_(dataset),
      chunk_samples_(samples_per_chunk(dataset, batch_size)),
      ring_(backend, slots_for(dataset, chunk_samples_),
            static_cast<std::size_t>(chunk_samples_ * (dataset.sample_size() + 1))) {}

BatchStream::~BatchStream() { stop(); }

void BatchStream::stop() {
  ring_.stop();
  if (reader_.joinable()) reader_.join();
}

void BatchStream::start(SampleOrder order) {
  stop();
  ring_.reset();
  reader_ = std::thread([this, order = std::move(order)] { read_pass(order); });
}

void BatchStream::read_pass(const SampleOrder& order) {
  try {
    for (std::int64_t first = 0; first < dataset_.size(); first += chunk_samples_) {
      const std::int64_t samples = std::min(chunk_samples_, dataset_.size() - first);
      StagingSlot* slot = ring_.acquire();
      if (slot == nullptr) return;
      const auto pixel_bytes = static_cast<std::size_t>(samples * dataset_.sample_size());
      const auto pixels = slot->host().first(pixel_bytes);
      const auto labels = slot->host().subspan(pixel_bytes, static_cast<std::size_t>(samples));
      if (order.is_file_order()) {
        dataset_.read(first, pixels, labels);
      } else {
        dataset_.gather(order.indices(first, samples), pixels, labels);
      }
      ring_.publish({slot, samples});
    }
    ring_.finish(nullptr);
  } catch (...) {
    ring_.finish(std::current_exception());
  }
}

std::optional<Chunk> BatchStream::next() {
  const auto filled = ring_.take();
  if (!filled) return std::nullopt;
  const auto pixel_bytes = filled->samples * dataset_.sample_size();
  filled->slot->submit(static_cast<std::size_t>(pixel_bytes + filled->samples));
  const auto* pixels = filled->slot->device();
  return Chunk(ring_, filled->slot, {pixels, pixels + pixel_bytes, filled->samples, dataset_.sample_size()});
}

}  // namespace warpfit
