// Estimates the host memory of a run from its shapes alone. The system would kill a run that needs more
// memory than is available while it is training.
#pragma once

#include <cstdint>
#include <string>

#include "host/train/training_data.hpp"

namespace warpfit {

/// The peak host memory of a run on `backend` in bytes, without the data sets. It includes the parameters,
/// gradients, optimizer moments, activations and working memory of the operations if they are computed on the
/// host, and the copy of parameters and moments that is made for saving if the run has a folder (`saves`).
std::uint64_t estimated_memory(const NetworkPlan& network, const TrainOptions& options,
                               const BatchSizes& batches, const Backend& backend, bool saves);

/// A warning if `needed` is more than `available`; otherwise empty.
std::string memory_warning(std::uint64_t needed, std::uint64_t available);

}  // namespace warpfit
