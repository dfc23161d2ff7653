// Decides which data sets are resident in device memory and the chunk sizes of the streamed ones, so that all
// of them together stay within a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "host/backend/backend.hpp"

namespace warpfit {

/// Where a data set is stored between passes.
enum class Residency {
  kAuto,     ///< the backend decides by size
  kStream,   ///< on the host; streamed in every pass
  kResident  ///< in the backend's memory from the first pass on
};

/// A data set and its batch size.
struct StreamRequest {
  std::int64_t samples = 0;
  std::int64_t sample_size = 0;  ///< bytes
  std::int64_t batch_size = 0;   ///< samples
};

struct StreamPlan {
  bool resident = false;
  std::int64_t chunk_samples = 0;  ///< samples in a slot of the staging ring: whole batches, or the whole set
  std::size_t slots = 0;
};

/// Where the parts of a slot begin, which holds `samples` samples: the pixels, then the labels, then the
/// numbers of the samples in the data set.
template <class T>
constexpr std::int64_t aligned_for(std::int64_t bytes) {
  constexpr auto kAlignment = static_cast<std::int64_t>(alignof(T));
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}
constexpr std::int64_t label_offset(std::int64_t samples, std::int64_t sample_size) {
  return aligned_for<Label>(samples * sample_size);
}
constexpr std::int64_t number_offset(std::int64_t samples, std::int64_t sample_size) {
  return aligned_for<std::uint32_t>(label_offset(samples, sample_size) +
                                    samples * static_cast<std::int64_t>(sizeof(Label)));
}
/// The size of such a slot in bytes.
constexpr std::int64_t chunk_bytes(std::int64_t samples, std::int64_t sample_size) {
  return number_offset(samples, sample_size) + samples * static_cast<std::int64_t>(sizeof(std::uint32_t));
}

/// Device memory in bytes that a set needs with this plan: for its samples, or for the slots.
std::int64_t device_bytes(const StreamRequest& set, const StreamPlan& plan);

/// Makes a plan for each set. `limit`: maximum number of bytes for all sets on the device; by default what
/// the backend has. A chunk holds as many batches as fit in about 4 MB, or fewer under a limit, but at least
/// one. With kAuto, the first sets are resident that the backend should keep and that leave memory for one
/// batch to every other set. Errors: OutOfMemory if the limit is too low for that, or with kResident for all
/// sets to be resident.
std::vector<StreamPlan> plan_streams(const Backend& backend, std::span<const StreamRequest> sets,
                                     Residency residency, std::optional<std::int64_t> limit);

}  // namespace warpfit
