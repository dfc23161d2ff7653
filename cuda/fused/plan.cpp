#include "cuda/fused/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace warpfit::cuda {
namespace {

constexpr int kWarpThreads = 32;
constexpr std::size_t kFactorsBytes = 16;
constexpr int kMostClasses = 256;
constexpr std::int64_t kMostWidth = 1 << 20;  // products of sizes stay far from where int ends

// Hands out shared memory.
class Layout {
 public:
  int take(std::int64_t bytes) {
    const std::int64_t place = used_;
    used_ += (bytes + kPlaceBytes - 1) / kPlaceBytes;
    return static_cast<int>(std::min<std::int64_t>(place, std::int64_t{1} << 30));
  }
  int take_floats(std::int64_t rows, std::int64_t width) {
    return take(rows * FusedPlan::padded(static_cast<int>(width)) * std::int64_t{sizeof(float)});
  }
  [[nodiscard]] std::int64_t bytes() const { return used_ * kPlaceBytes; }

 private:
  std::int64_t used_ = 0;  // places
};

// Values whose columns are owned: the hidden ones; the samples' where there are none.
struct Owned {
  int first, end;
};
Owned owned(const FusedPlan& plan) { return plan.layers == 1 ? Owned{0, 1} : Owned{1, plan.layers}; }

// As many blocks as multiprocessors, but none that would own no column, save one more where there is a
// multiprocessor for it: the last block has work of its own (fused_run.cu).
void share_columns(FusedPlan& plan, int multiprocessors) {
  const auto [first, end] = owned(plan);
  for (int i = first; i < end; ++i) {
    plan.columns[i] = (plan.widths[i] + multiprocessors - 1) / multiprocessors;
    plan.owners = (plan.widths[i] + plan.columns[i] - 1) / plan.columns[i];
    plan.blocks = std::max(plan.blocks, plan.owners);
  }
  plan.blocks = std::min(plan.blocks + 1, multiprocessors);
}

// Bytes of shared memory.
std::int64_t lay_out(FusedPlan& plan) {
  Layout layout;
  const int classes = plan.widths[plan.layers];
  plan.pixels = layout.take(std::int64_t{plan.rows} * FusedPlan::padded(plan.widths[0], 16));
  if (plan.layers > 2) {
    const int widest = *std::max_element(&plan.widths[1], &plan.widths[plan.layers]);
    plan.gathered = layout.take_floats(plan.rows, widest);
  }
  plan.logits = layout.take_floats(plan.threads / kWarpThreads, classes);
  plan.dlogits = layout.take_floats(plan.rows, classes);
  plan.partial = layout.take_floats(1, plan.threads);
  plan.factors = layout.take(kFactorsBytes);
  plan.values.fill(-1);
  plan.biases.fill(-1);
  plan.weights.fill(-1);
  plan.weights_behind.fill(-1);
  int most_columns = 0;
  const auto [first, end] = owned(plan);
  for (int i = first; i < end; ++i) {
    most_columns = std::max(most_columns, plan.columns[i]);
    plan.values[i] = layout.take_floats(plan.rows, plan.columns[i]);
    plan.weights_behind[i] = layout.take_floats(plan.columns[i], plan.widths[i + 1]);
    if (i == 0) continue;
    plan.biases[i - 1] = layout.take_floats(1, plan.columns[i]);
    plan.weights[i - 1] = layout.take_floats(plan.columns[i], plan.widths[i - 1]);
  }
  plan.gradients = layout.take_floats(plan.rows, most_columns);
  return layout.bytes();
}

}  // namespace

std::optional<FusedPlan> plan_fused(std::span<const std::int64_t> widths, std::int64_t rows,
                                    const DeviceLimits& limits, std::string& reason) {
  const auto layers = static_cast<std::int64_t>(widths.size()) - 1;
  if (layers > kMostFusedLayers) {
    reason = fmt::format("the network has {} layers, more than {}", layers, kMostFusedLayers);
    return std::nullopt;
  }
  if (!limits.cooperative) {
    reason = "this GPU cannot launch all blocks together";
    return std::nullopt;
  }
  if (std::ranges::max(widths) > kMostWidth || rows > kMostWidth || widths.back() > kMostClasses) {
    reason = fmt::format("a layer or the batch is too wide: expected at most {}, and {} classes", kMostWidth,
                         kMostClasses);
    return std::nullopt;
  }
  FusedPlan plan;
  plan.layers = static_cast<int>(layers);
  plan.rows = static_cast<int>(rows);
  plan.threads = kMostFusedThreads;
  std::ranges::transform(widths, plan.widths.begin(),
                         [](std::int64_t width) { return static_cast<int>(width); });
  share_columns(plan, limits.multiprocessors);
  const std::int64_t bytes = lay_out(plan);
  if (bytes > static_cast<std::int64_t>(limits.shared_bytes)) {
    reason = fmt::format("weights and batch do not fit on the chip: {} KiB a block, but there are {}",
                         (bytes + 1023) / 1024, limits.shared_bytes / 1024);
    return std::nullopt;
  }
  plan.shared_bytes = static_cast<int>(bytes);
  return plan;
}

}  // namespace warpfit::cuda
