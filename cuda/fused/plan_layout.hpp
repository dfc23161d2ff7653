// How plan_fused() distributes a network. The functions are constexpr, because fused_run.cu has a kernel
// compiled for one plan.
#pragma once

#include <algorithm>

#include "cuda/fused/plan.hpp"

namespace warpfit::cuda {

constexpr int kWarpThreads = 32;
constexpr std::size_t kStepConstantsBytes = 16;

/// Allocates shared memory.
class Layout {
 public:
  constexpr int take(std::int64_t bytes) {
    const std::int64_t offset = used_;
    used_ += (bytes + kOffsetUnit - 1) / kOffsetUnit;
    return static_cast<int>(std::min<std::int64_t>(offset, std::int64_t{1} << 30));
  }
  constexpr int take_floats(std::int64_t rows, std::int64_t width) {
    return take(rows * FusedPlan::padded(static_cast<int>(width)) * std::int64_t{sizeof(float)});
  }
  [[nodiscard]] constexpr std::int64_t bytes() const { return used_ * kOffsetUnit; }

 private:
  std::int64_t used_ = 0;  // in units of kOffsetUnit
};

/// The values whose columns are owned: the hidden ones; without hidden layers, the samples.
struct Owned {
  int first, end;
};
constexpr Owned owned(const FusedPlan& plan) {
  return plan.layers == 1 ? Owned{0, 1} : Owned{1, plan.layers};
}

/// Uses one block per multiprocessor, but no blocks without columns, except for one more block if there is a
/// spare multiprocessor: the last block has additional work (block.cuh).
constexpr void share_columns(FusedPlan& plan, int multiprocessors) {
  const auto [first, end] = owned(plan);
  for (int i = first; i < end; ++i) {
    plan.columns[i] = (plan.widths[i] + multiprocessors - 1) / multiprocessors;
    plan.owners = (plan.widths[i] + plan.columns[i] - 1) / plan.columns[i];
    plan.blocks = std::max(plan.blocks, plan.owners);
  }
  plan.blocks = std::min(plan.blocks + 1, multiprocessors);
}

/// Returns the size of the shared memory in bytes.
constexpr std::int64_t lay_out(FusedPlan& plan) {
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
  plan.step_constants = layout.take(kStepConstantsBytes);
  plan.copies = layout.take(plan.threads / kWarpThreads * 8);
  plan.values.fill(-1);
  plan.biases.fill(-1);
  plan.weights.fill(-1);
  plan.outgoing_weights.fill(-1);
  int max_columns = 0;
  const auto [first, end] = owned(plan);
  for (int i = first; i < end; ++i) {
    max_columns = std::max(max_columns, plan.columns[i]);
    plan.values[i] = layout.take_floats(plan.rows, plan.columns[i]);
    plan.outgoing_weights[i] = layout.take_floats(plan.columns[i], plan.widths[i + 1]);
    if (i == 0) continue;
    plan.biases[i - 1] = layout.take_floats(1, plan.columns[i]);
    plan.weights[i - 1] = layout.take_floats(plan.columns[i], plan.widths[i - 1]);
  }
  plan.gradients = layout.take_floats(plan.rows, max_columns);
  return layout.bytes();
}

/// The plan of the tutorial's network, 784-512-512-10 with batches of 64, on the 132 multiprocessors of an
/// H100 or H200.
constexpr FusedPlan tutorial_plan() {
  FusedPlan plan;
  plan.layers = 3;
  plan.rows = 64;
  plan.threads = kMaxFusedThreads;
  plan.widths = {784, 512, 512, 10};
  share_columns(plan, 132);
  plan.shared_bytes = static_cast<int>(lay_out(plan));
  return plan;
}
constexpr FusedPlan kTutorialPlan = tutorial_plan();

/// What the kernel's code is compiled for: any plan; or the tutorial's plan with plain SGD, so that sizes and
/// offsets are constants. The latter is compiled separately for blocks that own columns and for the last
/// block, which owns none.
enum class FusedCode { kAny, kTutorialOwner, kTutorialLast };
static_assert(kTutorialPlan.blocks == kTutorialPlan.owners + 1);

}  // namespace warpfit::cuda
