// The initial parameters, bit-identical to those of PyTorch's modules.
#pragma once

#include <vector>

#include "host/base/torch_random.hpp"
#include "host/model/network_plan.hpp"

namespace warpfit {

/// The parameters that PyTorch initializes an nn.Sequential of these layers with, using this generator. The
/// layout is the plan's; the gaps are 0.
std::vector<float> initial_parameters(const NetworkPlan& plan, TorchGenerator& generator);

/// The state at the start of training, in the plan's layout.
std::vector<float> initial_state(const NetworkPlan& plan);

}  // namespace warpfit
