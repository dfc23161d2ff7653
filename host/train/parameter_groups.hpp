// Groups of parameters that are updated in the same way.
#pragma once

#include "host/model/network_plan.hpp"
#include "host/optim/optimizer_state.hpp"
#include "host/train/train_options.hpp"

namespace warpfit {

/// Groups that together contain all parameters that are not frozen: a single one, unless some have no weight
/// decay, or Muon updates the matrices and the optimizer the other parameters.
ParameterGroups parameter_groups(const NetworkPlan& plan, const TrainOptions& options);

}  // namespace warpfit
