// The options of training.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/backend/pixel_transform.hpp"
#include "host/backend/step_plan.hpp"
#include "host/optim/schedule.hpp"
#include "host/stream/stream_plan.hpp"
#include "host/train/engine.hpp"

namespace warpfit {

struct NetworkPlan;

enum class BestBy { kLoss, kAccuracy };

/// Parameters that are updated without weight decay.
struct NoDecay {
  bool biases = false;
  bool norms = false;  ///< weights and biases of normalization layers
};

/// A factor of the learning rate of the parameters whose names match a pattern (host/base/glob.hpp).
struct RateFactor {
  std::string pattern;
  float factor = 1;
};

struct TrainOptions {
  std::int64_t epochs = 10;
  std::int64_t batch_size = 64;
  double learning_rate = 1e-3;
  ScheduleShape schedule = Constant{};
  std::int64_t warmup = 0;  ///< steps
  std::uint64_t seed = 0;
  bool shuffle = false;
  Normalization normalization = {};  ///< of all samples
  Augmentation augmentation = {};    ///< of training samples; its seed is replaced by `seed`
  Loss loss = {};
  Clipping clipping = {};
  Optimizer optimizer = Sgd{};              ///< with Muon, for the parameters that Muon does not update
  std::optional<Muon> muon = std::nullopt;  ///< updates the weight matrices
  NoDecay no_decay = {};
  std::vector<RateFactor> rate_factors = {};  ///< the first one that matches a parameter applies to it
  bool ordered_sums = false;                  ///< see BatchShare
  bool sync_batch_norm = false;               ///< normalize the rows of all ranks of a batch together
  std::int64_t accumulate = 1;                ///< number of batches per update; their gradients are averaged
  double ema = 0;                             ///< decay of the parameters' moving average; 0 for none
  std::int64_t swa_start = 0;                 ///< first epoch after which parameters are averaged; 0 for none
  bool fuse_update = true;    ///< fuse the plain SGD update into the weight-gradient GEMMs if possible
  bool measure_norm = false;  ///< report the norm of the gradients, if they are in memory
  BestBy best_by = BestBy::kLoss;
  std::int64_t patience = 0;  ///< epochs without improvement after which training ends; 0 for all epochs
  double min_delta = 0;       ///< minimum change that counts as an improvement
  Residency residency = Residency::kAuto;
  Engine engine = Engine::kLayers;
  /// The maximum device memory in bytes for all data sets together; by default what is available.
  std::optional<std::int64_t> device_memory_limit = std::nullopt;
  std::int64_t log_every = 100;  ///< batches between two reported losses
  /// The range of epochs, counted from 1, that a profiler captures; none if the first is 0.
  std::int64_t first_profiled = 0, last_profiled = 0;
};

/// Whether the plain SGD update is fused into the weight-gradient GEMMs. The gradients then take no memory.
bool is_update_fused(const TrainOptions& options, const NetworkPlan& network);

}  // namespace warpfit
