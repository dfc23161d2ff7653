// Metrics and losses of all ranks together.
#pragma once

#include <cstdint>
#include <vector>

#include "host/backend/metrics.hpp"
#include "host/parallel/communicator.hpp"

namespace warpfit {

/// The metrics of batches of which each rank has computed `parts` parts and counted them as batches. Each
/// rank passes its own. Collective.
Metrics metrics_of_parts(Communicator& communicator, Metrics metrics, int parts);
/// The metrics of one rank, from which metrics_of_parts() would return `metrics`.
Metrics metrics_for_rank(const Communicator& communicator, Metrics metrics, int parts);

/// The metrics of an evaluation in which each rank has computed whole batches. Collective.
Metrics metrics_of_batches(Communicator& communicator, const Metrics& own);

/// The loss of each batch, from the losses of its parts: `parts` consecutive values of each rank. Collective.
std::vector<float> losses_of_parts(Communicator& communicator, const std::vector<float>& losses, int parts);

}  // namespace warpfit
