// Streams a data set to a backend, pass by pass: a reader thread fills the staging ring ahead of the trainer.
// Each slot holds many batches, with pixels as the bytes of the file.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>

#include "host/backend/buffer.hpp"
#include "host/stream/reader_thread.hpp"
#include "host/stream/sample_order.hpp"
#include "host/stream/staging_ring.hpp"
#include "host/stream/stream_plan.hpp"
#include "host/stream/subset.hpp"

namespace warpfit {

/// A part of the pass, in device memory: whole batches, except that the last batch of the pass may be short.
/// The destructor returns the memory to the reader once the batch runs queued until then have finished.
class Chunk {
 public:
  /// A chunk of a data set that is resident on the device.
  Chunk(std::int64_t first, const SampleView& samples) : first_(first), samples_(samples) {}
  Chunk(StagingRing& ring, StagingSlot* slot, std::int64_t first, const SampleView& samples)
      : ring_(&ring), slot_(slot), first_(first), samples_(samples) {}
  Chunk(Chunk&& other) noexcept
      : ring_(other.ring_), slot_(other.slot_), first_(other.first_), samples_(other.samples_) {
    other.slot_ = nullptr;
  }
  Chunk& operator=(Chunk&&) = delete;
  ~Chunk();

  [[nodiscard]] const SampleView& samples() const { return samples_; }
  /// Number of samples of the pass before this chunk.
  [[nodiscard]] std::int64_t first() const { return first_; }

 private:
  StagingRing* ring_ = nullptr;
  StagingSlot* slot_ = nullptr;
  std::int64_t first_ = 0;
  SampleView samples_;
};

/// The arguments of plan_streams() for a data set.
StreamRequest request_for(const Subset& dataset, std::int64_t batch_size);
/// A plan for a single data set without a limit.
StreamPlan plan_single_set(const Backend& backend, const Subset& dataset, std::int64_t batch_size,
                           Residency residency);

class BatchStream {
 public:
  /// The backend and the data set must outlive the stream. The plan must be for this data set. Errors:
  /// OutOfMemory, also if no reader thread can be created.
  BatchStream(Backend& backend, Subset dataset, const StreamPlan& plan);
  ~BatchStream();
  BatchStream(const BatchStream&) = delete;
  BatchStream& operator=(const BatchStream&) = delete;

  /// Begins a pass over the data set; an unfinished pass is abandoned. No chunk may exist. Chunks before the
  /// one that contains sample `first` of the pass may be skipped.
  void start(SampleOrder order, std::int64_t first = 0);
  /// The next chunk, or nothing at the end of the pass. Throws the error of the reader: DataError, IoError.
  std::optional<Chunk> next();

  [[nodiscard]] bool is_resident() const { return resident_; }

 private:
  void attach_reader();
  void read_pass(std::int64_t first);
  void stop();
  [[nodiscard]] Chunk streamed_chunk(const FilledSlot& filled);
  [[nodiscard]] SampleView keep(const FilledSlot& filled);
  [[nodiscard]] Chunk whole_set();

  Backend& backend_;
  Subset dataset_;
  std::int64_t chunk_samples_;
  bool resident_;
  StagingRing ring_;
  SampleOrder order_;  // order of the current pass; also used by the reader
  bool reading_ = false;
  std::exception_ptr attach_failure_;

  // For resident data: the first `uploaded_` samples are on the device.
  Buffer<std::uint8_t> pixels_;
  Buffer<Label> labels_;
  Buffer<std::uint32_t> pass_order_;  // order of a shuffled pass
  std::int64_t uploaded_ = 0;
  bool returned_ = false;  // whether the pass has returned its last chunk

  ReaderThread reader_;  // last member: it uses the other members until it ends
};

}  // namespace warpfit
