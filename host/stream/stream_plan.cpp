#include "host/stream/stream_plan.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

std::int64_t batch_samples(const StreamRequest& set) { return std::min(set.batch_size, set.samples); }
std::int64_t batch_bytes(const StreamRequest& set) {
  return chunk_bytes(batch_samples(set), set.sample_size);
}

// Pixels, labels and the indices of a shuffled pass.
std::int64_t resident_bytes(const StreamRequest& set) {
  return set.samples * (set.sample_size + static_cast<std::int64_t>(sizeof(Label) + sizeof(std::uint32_t)));
}

template <class Bytes>
std::int64_t sum_over(std::span<const StreamRequest> sets, Bytes bytes) {
  return std::transform_reduce(sets.begin(), sets.end(), std::int64_t{0}, std::plus(), bytes);
}

void check_limit(std::span<const StreamRequest> sets, Residency residency, std::int64_t limit) {
  const bool all = residency == Residency::kResident;
  const std::int64_t needed = all ? sum_over(sets, resident_bytes) : sum_over(sets, batch_bytes);
  if (needed <= limit) return;
  throw OutOfMemory(fmt::format("--device-memory-limit {}: expected at least {} bytes, {}; try {}", limit,
                                needed, all ? "for all data sets together" : "a batch of each data set",
                                all ? "--residency auto" : "a smaller --batch-size"));
}

StreamPlan plan_slots(const StreamRequest& set, std::int64_t budget) {
  constexpr std::int64_t kSlots = 3;  // one in use, one ready, one being filled
  constexpr std::int64_t kChunkBytes = 4 << 20;
  const std::int64_t slots = std::clamp<std::int64_t>(budget / batch_bytes(set), 1, kSlots);
  const std::int64_t batches =
      std::min(kChunkBytes / (set.sample_size * batch_samples(set)), budget / slots / batch_bytes(set));
  const std::int64_t chunk = std::min(set.samples, std::max<std::int64_t>(1, batches) * batch_samples(set));
  return {.resident = false,
          .chunk_samples = chunk,
          .slots = static_cast<std::size_t>(std::min(slots, (set.samples + chunk - 1) / chunk))};
}

}  // namespace

std::int64_t device_bytes(const StreamRequest& set, const StreamPlan& plan) {
  if (plan.resident) return resident_bytes(set);
  return static_cast<std::int64_t>(plan.slots) * chunk_bytes(plan.chunk_samples, set.sample_size);
}

// Plans set by set; each set leaves memory for one batch to each set after it. A streamed set takes at most
// an equal share of what is left, since later sets may have to be streamed as well.
std::vector<StreamPlan> plan_streams(const Backend& backend, std::span<const StreamRequest> sets,
                                     Residency residency, std::optional<std::int64_t> limit) {
  constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
  std::int64_t left = limit.value_or(kNoLimit);
  check_limit(sets, residency, left);
  std::vector<StreamPlan> plans;
  std::int64_t kept = 0;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const auto& set = sets[i];
    const std::int64_t room = left - sum_over(sets.subspan(i + 1), batch_bytes);
    const std::int64_t bytes = resident_bytes(set);
    const bool wanted =
        residency == Residency::kResident ||
        (residency == Residency::kAuto && backend.should_keep(static_cast<std::size_t>(kept + bytes)));
    const std::int64_t share = left / static_cast<std::int64_t>(sets.size() - i);
    auto plan = plan_slots(set, std::min(room, std::max(share, batch_bytes(set))));
    if (wanted && bytes <= room) {
      plan = plan_slots(set, kNoLimit);  // these slots use host memory only
      plan.resident = true;
      kept += bytes;
    }
    left -= device_bytes(set, plan);
    plans.push_back(plan);
  }
  return plans;
}

}  // namespace warpfit
