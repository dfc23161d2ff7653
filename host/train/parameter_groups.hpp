// Which parameters of a network are updated alike.
#pragma once

#include <optional>

#include "host/model/network_plan.hpp"
#include "host/optim/optimizer_state.hpp"

namespace warpfit {

/// Groups that have all parameters between them: one, unless biases have no weight decay, or Muon updates the
/// matrices and the optimizer the rest.
ParameterGroups parameter_groups(const NetworkPlan& plan, const Optimizer& optimizer, bool no_decay_of_biases,
                                 const std::optional<Muon>& muon);

}  // namespace warpfit
