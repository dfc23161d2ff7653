// The parameters of a launch of the persistent trainer.
#pragma once

#include <cuda_runtime_api.h>

#include <type_traits>

#include "cuda/device/barrier_timeout.hpp"
#include "cuda/fused/plan.hpp"
#include "host/backend/backend.hpp"
#include "host/backend/batch_metrics.hpp"

namespace warpfit::cuda {

/// Device memory through which the blocks exchange data. Rows are padded with zeros to a multiple of four
/// floats; the padding is never overwritten.
struct FusedExchange {
  std::array<float*, kMaxFusedLayers> values{};     ///< (rows, width) of the hidden values, except the last
  std::array<float*, kMaxFusedLayers> gradients{};  ///< the same for the gradients of the loss
  float* part_logits = nullptr;  ///< (rows, owners, classes): each block's terms of the logits
  float* dlogits = nullptr;      ///< (rows, classes)
  RowResult* results = nullptr;  ///< (rows)
  unsigned* arrived = nullptr;   ///< arrivals at the barriers of all launches
  unsigned long long* phase_nanoseconds = nullptr;  ///< (blocks, phases); null unless the build measures them
};

struct FusedRun {
  FusedPlan plan;
  FusedExchange exchange;
  float* parameters = nullptr;
  std::array<std::int64_t, kMaxFusedLayers> weights{};  ///< offsets among the parameters, by layer
  std::array<std::int64_t, kMaxFusedLayers> biases{};   ///< the same
  std::array<float*, kMaxMoments> moments{};            ///< in the layout of the parameters; null if not used
  OptimizerProgress* progress = nullptr;                ///< null if no step needs its number
  float label_smoothing = 0;
  bool trains = true;  ///< otherwise only evaluates
  Metrics* metrics = nullptr;
  BatchRun batches;
  unsigned passed = 0;  ///< value of `arrived` before this launch
  BarrierTimeout timeout;
};

/// The optimizers that have a kernel; each of them takes seconds to compile.
template <class Rule>
constexpr bool kIsFused = std::is_same_v<Rule, Sgd> || std::is_same_v<Rule, Adam> ||
                          std::is_same_v<Rule, Rmsprop> || std::is_same_v<Rule, Adagrad>;

/// Number of barriers that each block passes in a batch.
[[nodiscard]] int fused_barriers(const FusedPlan& plan, bool trains);

/// The number of blocks of the launch that a multiprocessor can hold at a time; the optimizer must satisfy
/// kIsFused. To be called before the first launch, because it also allows the kernel to use its shared
/// memory.
[[nodiscard]] int fused_resident_blocks(const Optimizer& optimizer, const FusedPlan& plan);

/// Queues the batches in one cooperative launch: for each batch in turn forward, loss and, if it trains,
/// backward and update.
void launch_fused(const Optimizer& optimizer, const FusedRun& run, cudaStream_t stream);

}  // namespace warpfit::cuda
