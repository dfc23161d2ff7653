// Frozen parameters, as those with requires_grad=False in PyTorch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/model/network_plan.hpp"

namespace warpfit {

/// The parameters whose names match the pattern (host/base/glob.hpp), as indices into NetworkPlan::tensors.
/// Errors: UsageError naming `flag` and all parameters if there are none.
[[nodiscard]] std::vector<std::size_t> matching_parameters(const NetworkPlan& plan, std::string_view flag,
                                                           std::string_view pattern);

/// Sets PlannedTensor::requires_grad to false for the parameters that one of the patterns matches. Errors:
/// UsageError if a pattern matches no parameter, or if no parameter would be left to train.
void freeze(NetworkPlan& plan, const std::vector<std::string>& patterns);

/// Number of elements of all frozen parameters.
[[nodiscard]] std::int64_t frozen_parameters(const NetworkPlan& plan);

}  // namespace warpfit
