// How much of the host's memory a run takes, from its shapes alone: a run that needs more than there is would
// be ended by the system in the middle of its work.
#pragma once

#include <cstdint>
#include <string>

#include "host/train/train_options.hpp"

namespace warpfit {

/// The peak host memory of a run in bytes, without the data sets: parameters, gradients, the
/// optimizer's moments and the values between the layers, which are on the host if it computes (`on_cpu`),
/// and the copy of parameters and moments that is made to save them, if it has a folder (`saves`).
std::uint64_t estimated_memory(const NetworkPlan& network, const TrainOptions& options,
                               std::int64_t max_batch_size, bool on_cpu, bool saves);

/// A warning if that is more than what is available; else empty.
std::string memory_warning(std::uint64_t needed, std::uint64_t available);

}  // namespace warpfit
