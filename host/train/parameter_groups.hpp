// Groups of parameters that are updated in the same way.
#pragma once

#include <string_view>
#include <vector>

#include "host/model/network_plan.hpp"
#include "host/optim/optimizer_state.hpp"
#include "host/train/train_options.hpp"

namespace warpfit {

/// Groups that together contain all parameters that are not frozen: a single one, unless some have no weight
/// decay or a learning rate of their own, or Muon updates the matrices and the optimizer the other
/// parameters.
ParameterGroups parameter_groups(const NetworkPlan& plan, const TrainOptions& options);

/// The factor of the learning rate of the parameter with this name.
float rate_factor_of(std::string_view name, const std::vector<RateFactor>& factors);

/// Errors: UsageError if a pattern matches no parameter, or only parameters that are frozen or that an
/// earlier pattern matches.
void check_rate_factors(const NetworkPlan& plan, const std::vector<RateFactor>& factors);

}  // namespace warpfit
