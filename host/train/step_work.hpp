// The amount of computation and memory traffic of a training step, derived from the shape of the network.
#pragma once

#include <array>
#include <cstdint>

#include "host/model/network_plan.hpp"
#include "host/optim/optimizer_state.hpp"
#include "host/train/step.hpp"

namespace warpfit {

/// The work of each phase of a step with this many rows, whose parameters are updated in these groups.
/// `fused_update`: the plain SGD update is fused into the weight-gradient GEMMs.
std::array<Work, kPhases> step_work(const NetworkPlan& network, std::int64_t rows,
                                    const ParameterGroups& groups, bool fused_update);

}  // namespace warpfit
