#include "host/stream/batch_stream.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace warpfit {
namespace {

/// A part of a slot that begins with this byte.
template <class Value, class Byte>
auto* part_at(Byte* slot, std::int64_t offset) {
  using Element = std::conditional_t<std::is_const_v<Byte>, const Value, Value>;
  return reinterpret_cast<Element*>(slot + offset);
}

}  // namespace

StreamRequest request_for(const Subset& dataset, std::int64_t batch_size) {
  return {.samples = dataset.size(), .sample_size = dataset.sample_size(), .batch_size = batch_size};
}

StreamPlan plan_single_set(const Backend& backend, const Subset& dataset, std::int64_t batch_size,
                           Residency residency) {
  const auto set = request_for(dataset, batch_size);
  return plan_streams(backend, {&set, 1}, residency, std::nullopt).front();
}

Chunk::~Chunk() {
  if (slot_ == nullptr) return;
  slot_->retire();
  ring_->give_back(slot_);
}

// A slot holds everything about its samples, so that one copy carries all of it.
BatchStream::BatchStream(Backend& backend, Subset dataset, const StreamPlan& plan)
    : backend_(backend),
      dataset_(std::move(dataset)),
      chunk_samples_(plan.chunk_samples),
      resident_(plan.resident),
      ring_(backend, plan.slots,
            static_cast<std::size_t>(chunk_bytes(chunk_samples_, dataset_.sample_size()))),
      reader_([this] { attach_reader(); }) {
  if (!resident_) return;
  const auto samples = static_cast<std::size_t>(dataset_.size());
  pixels_ = {backend, samples * static_cast<std::size_t>(dataset_.sample_size())};
  labels_ = {backend, samples};
  pass_order_ = {backend, samples};
}

BatchStream::~BatchStream() { stop(); }

void BatchStream::stop() {
  ring_.stop();
  reader_.wait();
  reading_ = false;
}

// An error is stored and passed on to the trainer by the next pass.
void BatchStream::attach_reader() {
  try {
    backend_.attach_thread("reader");
  } catch (...) {
    attach_failure_ = std::current_exception();
  }
}

void BatchStream::start(SampleOrder order, std::int64_t first) {
  stop();
  order_ = std::move(order);
  returned_ = false;
  if (resident_ && uploaded_ == dataset_.size()) return;
  uploaded_ = 0;
  ring_.reset();
  first = resident_ ? 0 : first / chunk_samples_ * chunk_samples_;
  reading_ = true;
  reader_.start([this, first] { read_pass(first); });
}

void BatchStream::read_pass(std::int64_t first) {
  try {
    if (attach_failure_) std::rethrow_exception(attach_failure_);
    const bool in_file_order = resident_ || order_.is_file_order();
    const std::int64_t end = in_file_order ? dataset_.size() : order_.visits(dataset_.size());
    for (; first < end; first += chunk_samples_) {
      const std::int64_t samples = std::min(chunk_samples_, end - first);
      StagingSlot* slot = ring_.acquire();
      if (slot == nullptr) return;
      const auto pixels = slot->host().first(static_cast<std::size_t>(samples * dataset_.sample_size()));
      const auto size = dataset_.sample_size();
      const Labels labels{part_at<Label>(slot->host().data(), label_offset(samples, size)),
                          static_cast<std::size_t>(samples)};
      if (in_file_order) {
        dataset_.read(first, pixels, labels);
      } else {
        const auto numbers = order_.indices(first, samples);
        dataset_.gather(numbers, pixels, labels);
        std::ranges::copy(numbers, part_at<std::uint32_t>(slot->host().data(), number_offset(samples, size)));
      }
      ring_.publish({slot, first, samples});
    }
    ring_.finish(nullptr);
  } catch (...) {
    ring_.finish(std::current_exception());
  }
}

std::optional<Chunk> BatchStream::next() {
  if (returned_) return std::nullopt;
  if (resident_ && uploaded_ == dataset_.size() && !reading_) return whole_set();
  while (const auto filled = ring_.take()) {
    if (!resident_) return streamed_chunk(*filled);
    const SampleView part = keep(*filled);
    if (order_.is_file_order()) return Chunk(filled->first, part);
  }
  reader_.wait();
  reading_ = false;
  // A shuffled pass starts when all samples are resident; a pass in file order used them as they arrived.
  if (resident_ && !order_.is_file_order()) return whole_set();
  returned_ = true;
  return std::nullopt;
}

Chunk BatchStream::streamed_chunk(const FilledSlot& filled) {
  const auto size = dataset_.sample_size();
  const bool in_file_order = order_.is_file_order();
  const auto bytes = in_file_order ? number_offset(filled.samples, size) : chunk_bytes(filled.samples, size);
  const auto* slot = filled.slot->submit(static_cast<std::size_t>(bytes));
  SampleView samples{slot, part_at<Label>(slot, label_offset(filled.samples, size)), filled.samples, size};
  samples.first_number = filled.first;
  if (!in_file_order) samples.numbers = part_at<std::uint32_t>(slot, number_offset(filled.samples, size));
  return {ring_, filled.slot, filled.first, samples};
}

SampleView BatchStream::keep(const FilledSlot& filled) {
  const auto samples = static_cast<std::size_t>(filled.samples);
  const auto pixel_bytes = samples * static_cast<std::size_t>(dataset_.sample_size());
  SampleView part{pixels_.data() + uploaded_ * dataset_.sample_size(), labels_.data() + uploaded_,
                  filled.samples, dataset_.sample_size()};
  part.first_number = uploaded_;
  filled.slot->submit_to(pixels_.data() + uploaded_ * dataset_.sample_size(), 0, pixel_bytes);
  filled.slot->submit_to(reinterpret_cast<std::uint8_t*>(labels_.data() + uploaded_),
                         static_cast<std::size_t>(label_offset(filled.samples, dataset_.sample_size())),
                         samples * sizeof(Label));
  filled.slot->retire();
  ring_.give_back(filled.slot);
  uploaded_ += filled.samples;
  return part;
}

Chunk BatchStream::whole_set() {
  returned_ = true;
  SampleView all{pixels_.data(), labels_.data(), dataset_.size(), dataset_.sample_size()};
  if (!order_.is_file_order()) {
    all.count = order_.visits(dataset_.size());
    pass_order_.upload(order_.indices(0, all.count));
    all.order = pass_order_.data();
  }
  return {0, all};
}

}  // namespace warpfit
