// What a launch of the persistent trainer is told.
#pragma once

#include <cuda_runtime_api.h>

#include <type_traits>

#include "cuda/device/barrier_timeout.hpp"
#include "cuda/fused/plan.hpp"
#include "host/backend/backend.hpp"
#include "host/backend/batch_metrics.hpp"

namespace warpfit::cuda {

/// Where blocks hand on what others need, in device memory. Rows are padded to a multiple of four floats, by
/// zeros that nobody overwrites.
struct FusedExchange {
  std::array<float*, kMaxFusedLayers> values{};     ///< (rows, width) of the hidden values but the last
  std::array<float*, kMaxFusedLayers> gradients{};  ///< likewise, of the loss
  float* part_logits = nullptr;                     ///< (rows, owners, classes): each block's terms of them
  float* dlogits = nullptr;                         ///< (rows, classes)
  RowResult* results = nullptr;                     ///< (rows)
  unsigned* arrived = nullptr;                      ///< at the barriers of all launches
  unsigned long long* phase_nanoseconds = nullptr;  ///< (blocks, phases); null unless the build measures them
};

struct FusedRun {
  FusedPlan plan;
  FusedExchange exchange;
  float* parameters = nullptr;
  std::array<std::int64_t, kMaxFusedLayers> weights{};  ///< of each layer among the parameters
  std::array<std::int64_t, kMaxFusedLayers> biases{};   ///< likewise
  std::array<float*, kMaxMoments> moments{};            ///< laid out as the parameters; null where not kept
  OptimizerProgress* progress = nullptr;                ///< null where no step needs its number
  float label_smoothing = 0;
  bool trains = true;  ///< or evaluates only
  Metrics* metrics = nullptr;
  BatchRun batches;
  unsigned passed = 0;  ///< of `arrived`, before this launch
  BarrierTimeout timeout;
};

/// Each optimizer's kernel takes seconds to compile: these have one.
template <class Rule>
constexpr bool kIsFused = std::is_same_v<Rule, Sgd> || std::is_same_v<Rule, Adam> ||
                          std::is_same_v<Rule, Rmsprop> || std::is_same_v<Rule, Adagrad>;

/// Barriers that each block passes in a batch.
[[nodiscard]] int fused_barriers(const FusedPlan& plan, bool trains);

/// How many blocks of the launch a multiprocessor can hold at once; the optimizer is one that kIsFused. It
/// must be asked before the first launch, and allows the kernel its shared memory.
[[nodiscard]] int fused_resident_blocks(const Optimizer& optimizer, const FusedPlan& plan);

/// Queues the batches: forward, loss and, where it trains, backward and update of each in turn, in one
/// cooperative launch.
void launch_fused(const Optimizer& optimizer, const FusedRun& run, cudaStream_t stream);

}  // namespace warpfit::cuda
