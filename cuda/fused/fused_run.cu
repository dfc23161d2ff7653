#include <algorithm>

#include "cuda/fused/block.cuh"
#include "cuda/fused/fused_run.hpp"
#include "cuda/fused/plan_layout.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

template <FusedCode kCode, class Rule>
__device__ void run_batches(const Rule& rule, const FusedRun& run, unsigned char* shared) {
  const bool counts = kCode == FusedCode::kAny && run.progress != nullptr;
  const std::int64_t steps_before = counts ? run.progress->steps : run.batches.step;
  Block<Rule, kCode> block(rule, run, shared);
  for (std::int64_t batch = 0; batch < run.batches.batches; ++batch) block.run_batch(batch, steps_before);
  // All blocks have read the number, because they are past a barrier.
  if (run.trains && counts && blockIdx.x == 0 && threadIdx.x == 0) {
    run.progress->steps = steps_before + run.batches.batches;
  }
}

template <class Rule>
__global__ void __launch_bounds__(kMaxFusedThreads, 1)
    fused_run_kernel(const __grid_constant__ Rule rule, const __grid_constant__ FusedRun run) {
  DYNAMIC_SHARED(uint4, shared);
  run_batches<FusedCode::kAny>(rule, run, reinterpret_cast<unsigned char*>(shared));
}

constexpr int kTutorialShared = kTutorialPlan.shared_bytes + kLowerBytes;

// Whether tutorial_kernel() can run it: with sizes known to nvcc it takes half as many instructions.
bool is_tutorial(const Optimizer& optimizer, const FusedRun& run) {
  const auto* sgd = std::get_if<Sgd>(&optimizer);
  const auto is_aligned = [](std::int64_t at) { return at % kVector == 0; };
  return sgd != nullptr && sgd->momentum == 0 && sgd->weight_decay == 0 && run.plan == kTutorialPlan &&
         run.batches.rows == run.plan.rows && run.progress == nullptr &&
         reinterpret_cast<std::uintptr_t>(run.batches.samples.pixels) % 16 == 0 &&
         std::ranges::all_of(run.moments, [](auto* m) { return m == nullptr; }) &&
         std::ranges::all_of(run.weights, is_aligned);
}

// The same as fused_run_kernel(), for plain SGD if is_tutorial().
__global__ void __launch_bounds__(kMaxFusedThreads, 1) tutorial_kernel(const __grid_constant__ FusedRun run) {
  DYNAMIC_SHARED(uint4, shared);
  if (static_cast<int>(blockIdx.x) < kTutorialPlan.owners) {
    run_batches<FusedCode::kTutorialOwner>(Sgd{}, run, reinterpret_cast<unsigned char*>(shared));
  } else {
    run_batches<FusedCode::kTutorialLast>(Sgd{}, run, reinterpret_cast<unsigned char*>(shared));
  }
}

}  // namespace

int fused_barriers(const FusedPlan& plan, bool trains) {
  return std::max(2, plan.layers) + (trains ? std::max(0, plan.layers - 2) : 0);
}

int fused_resident_blocks(const Optimizer& optimizer, const FusedPlan& plan) {
  return std::visit(
      [&]<class Rule>(const Rule&) {
        if constexpr (!kIsFused<Rule>)
          return 0;
        else {
          allow_shared_memory(fused_run_kernel<Rule>, plan.shared_bytes);
          if (plan == kTutorialPlan) allow_shared_memory(tutorial_kernel, kTutorialShared);
          return resident_blocks(fused_run_kernel<Rule>, plan.threads,
                                 static_cast<std::size_t>(plan.shared_bytes));
        }
      },
      optimizer);
}

void launch_fused(const Optimizer& optimizer, const FusedRun& run, cudaStream_t stream) {
  LaunchShape shape{.grid = static_cast<unsigned>(run.plan.blocks),
                    .block = static_cast<unsigned>(run.plan.threads),
                    .dynamic_shared = static_cast<std::size_t>(run.plan.shared_bytes),
                    .cooperative = true};
  if (is_tutorial(optimizer, run)) {
    shape.dynamic_shared = kTutorialShared;
    launch(tutorial_kernel, shape, stream, run);
    return;
  }
  std::visit(
      [&]<class Rule>(const Rule& rule) {
        if constexpr (kIsFused<Rule>) launch(fused_run_kernel<Rule>, shape, stream, rule, run);
      },
      optimizer);
}

}  // namespace warpfit::cuda
