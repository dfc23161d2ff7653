// The accumulated metrics of a pass.
#pragma once

#include <cstdint>

namespace warpfit {

/// What a loss function accumulates over the batches since the metrics were last cleared. Stored in the
/// backend's memory, so that no step waits for the host.
struct Metrics {
  double loss_sum = 0;  ///< sum over batches of the mean loss of the batch, each rounded to fp32 as PyTorch's
  float last_loss = 0;  ///< mean loss of the newest batch
  std::int64_t batches = 0;
  std::int64_t correct = 0;     ///< samples whose highest logit is that of their label; the first one on ties
  std::int64_t non_finite = 0;  ///< batches whose loss was not finite
  std::int64_t first_non_finite = -1;  ///< the first of them, counted from 0 since the last clearing
  float* losses = nullptr;             ///< if not null, the mean loss of each batch since then
};

}  // namespace warpfit
