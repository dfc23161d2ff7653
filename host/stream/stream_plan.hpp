// Which data sets stay in a device's memory, and in what portions the others are sent, so that all of them
// together keep to a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "host/backend/backend.hpp"

namespace warpfit {

/// Where a data set's bytes are between passes.
enum class Residency {
  kAuto,     ///< as the backend prefers for the size
  kStream,   ///< sent again in each pass
  kResident  ///< in the backend's memory from the first pass on
};

/// A data set, and the batches that it is used in.
struct StreamRequest {
  std::int64_t samples = 0;
  std::int64_t sample_size = 0;  ///< bytes
  std::int64_t batch_size = 0;   ///< samples
};

struct StreamPlan {
  bool resident = false;
  std::int64_t chunk_samples = 0;  ///< in a slot of the staging ring: whole batches, or the whole set
  std::size_t slots = 0;
};

/// Where the labels begin in memory that holds the pixels of so many samples, then their labels, and how many
/// bytes both take.
constexpr std::int64_t label_offset(std::int64_t samples, std::int64_t sample_size) {
  constexpr auto kAlignment = static_cast<std::int64_t>(alignof(Label));
  return (samples * sample_size + kAlignment - 1) / kAlignment * kAlignment;
}
constexpr std::int64_t chunk_bytes(std::int64_t samples, std::int64_t sample_size) {
  return label_offset(samples, sample_size) + samples * static_cast<std::int64_t>(sizeof(Label));
}

/// The bytes of device memory that a set takes with this plan: its samples, or the slots' device memory.
std::int64_t device_bytes(const StreamRequest& set, const StreamPlan& plan);

/// A plan for each set. `limit`: the most bytes that all of them may take on the device; without one, what
/// the backend has. A chunk holds as many batches as fit in about 4 MB, fewer under a limit, at least one.
/// With kAuto the first sets stay that the backend would keep and that leave a batch's room to each other.
/// Errors: OutOfMemory where the limit is too low for that, or for all sets to stay with kResident.
std::vector<StreamPlan> plan_streams(const Backend& backend, std::span<const StreamRequest> sets,
                                     Residency residency, std::optional<std::int64_t> limit);

}  // namespace warpfit
