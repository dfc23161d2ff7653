// How much a training step has to compute and to move, by the network's shape alone.
#pragma once

#include <array>
#include <cstdint>

#include "host/model/network_plan.hpp"
#include "host/optim/optimizer_state.hpp"
#include "host/train/step.hpp"

namespace warpfit {

/// Of each phase of a step with so many rows, whose parameters are updated in these groups. `fused_update`:
/// by plain SGD, fused into the weight-gradient GEMMs.
std::array<Work, kPhases> step_work(const NetworkPlan& network, std::int64_t rows,
                                    const ParameterGroups& groups, bool fused_update);

}  // namespace warpfit
