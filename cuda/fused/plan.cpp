#include <fmt/core.h>

#include <algorithm>

#include "cuda/fused/plan_layout.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kMaxClasses = 256;
constexpr std::int64_t kMaxWidth = 1 << 20;  // keeps products of sizes far below the maximum int

}  // namespace

std::optional<FusedPlan> plan_fused(std::span<const std::int64_t> widths, std::int64_t rows,
                                    const DeviceLimits& limits, std::string& reason) {
  const auto layers = static_cast<std::int64_t>(widths.size()) - 1;
  if (layers > kMaxFusedLayers) {
    reason = fmt::format("the network has {} layers, more than {}", layers, kMaxFusedLayers);
    return std::nullopt;
  }
  if (!limits.cooperative) {
    reason = "this GPU does not support cooperative launches";
    return std::nullopt;
  }
  if (std::ranges::max(widths) > kMaxWidth || rows > kMaxWidth || widths.back() > kMaxClasses) {
    reason = fmt::format("a layer or the batch is too large: expected at most {}, and at most {} classes",
                         kMaxWidth, kMaxClasses);
    return std::nullopt;
  }
  FusedPlan plan;
  plan.layers = static_cast<int>(layers);
  plan.rows = static_cast<int>(rows);
  plan.threads = kMaxFusedThreads;
  std::ranges::transform(widths, plan.widths.begin(),
                         [](std::int64_t width) { return static_cast<int>(width); });
  share_columns(plan, limits.multiprocessors);
  const std::int64_t bytes = lay_out(plan);
  if (bytes > static_cast<std::int64_t>(limits.shared_bytes)) {
    reason = fmt::format(
        "weights and batch do not fit in shared memory: {} KiB per block, but only {} are available",
        (bytes + 1023) / 1024, limits.shared_bytes / 1024);
    return std::nullopt;
  }
  plan.shared_bytes = static_cast<int>(bytes);
  return plan;
}

}  // namespace warpfit::cuda
