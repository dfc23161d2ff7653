// How a batch is added to the metrics of a pass; one formula for all devices.
#pragma once

#include <cstdint>

#include "host/backend/host_device.hpp"
#include "host/backend/metrics.hpp"

namespace warpfit {

/// The contribution of one row to its batch.
struct RowResult {
  float loss;
  int correct;  ///< 1 if the row's highest output is that of its label, else 0
};

/// Adds a batch whose rows' losses have the sum `loss_sum`; its mean loss is loss_sum / count.
WARPFIT_HOST_DEVICE inline void add_batch(Metrics& metrics, double loss_sum, std::int64_t correct,
                                          double count) {
  const auto mean = static_cast<float>(loss_sum / count);
  const bool is_finite = mean - mean == 0;  // std::isfinite works only on the host
  if (!is_finite) {
    if (metrics.non_finite == 0) metrics.first_non_finite = metrics.batches;
    ++metrics.non_finite;
  }
  if (metrics.losses != nullptr) metrics.losses[metrics.batches] = mean;
  metrics.loss_sum += mean;
  metrics.last_loss = mean;
  metrics.correct += correct;
  ++metrics.batches;
}

}  // namespace warpfit
