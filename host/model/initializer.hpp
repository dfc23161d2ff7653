// The initial parameters, bit for bit those of PyTorch's modules.
#pragma once

#include <vector>

#include "host/base/torch_random.hpp"
#include "host/model/network_plan.hpp"

namespace warpfit {

/// The parameters that PyTorch gives an nn.Sequential of these layers with this generator, laid out as the
/// plan says; the gaps are 0.
std::vector<float> initial_parameters(const NetworkPlan& plan, TorchGenerator& generator);

/// State at the start of training, laid out likewise.
std::vector<float> initial_state(const NetworkPlan& plan);

}  // namespace warpfit
