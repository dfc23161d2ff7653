// Streams a data set to a backend, pass by pass: a reader thread fills the staging ring ahead of the trainer,
// many batches a slot, pixels as the bytes of the file.
#pragma once

#include <cstdint>
#include <optional>
#include <thread>

#include "host/backend/backend.hpp"
#include "host/stream/dataset.hpp"
#include "host/stream/sample_order.hpp"
#include "host/stream/staging_ring.hpp"

namespace warpfit {

/// A part of the pass on the device: whole batches, save that the last batch of the pass may be short.
/// Destroying it gives its memory back to the reader, once the batch runs queued until then are done.
class Chunk {
 public:
  Chunk(StagingRing& ring, StagingSlot* slot, SampleView samples)
      : ring_(&ring), slot_(slot), samples_(samples) {}
  Chunk(Chunk&& other) noexcept : ring_(other.ring_), slot_(other.slot_), samples_(other.samples_) {
    other.slot_ = nullptr;
  }
  Chunk& operator=(Chunk&&) = delete;
  ~Chunk();

  [[nodiscard]] const SampleView& samples() const { return samples_; }

 private:
  StagingRing* ring_;
  StagingSlot* slot_;
  SampleView samples_;
};

class BatchStream {
 public:
  /// Both must outlive the stream. A chunk holds as many batches as fit in about 4 MB, at least one.
  BatchStream(Backend& backend, const Dataset& dataset, std::int64_t batch_size);
  ~BatchStream();
  BatchStream(const BatchStream&) = delete;
  BatchStream& operator=(const BatchStream&) = delete;

  /// Begins a pass over the data set; one that was not used up is given up. No chunk may be alive.
  void start(SampleOrder order);
  /// The next chunk, or nothing at the end of the pass. Throws what the reader met: DataError, IoError.
  std::optional<Chunk> next();

 private:
  void read_pass(const SampleOrder& order);
  void stop();

  const Dataset& dataset_;
  std::int64_t chunk_samples_;
  StagingRing ring_;
  std::thread reader_;
};

}  // namespace warpfit
