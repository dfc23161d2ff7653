// nn.Linear's initial parameters, bit for bit.
#pragma once

#include <vector>

#include "host/base/torch_random.hpp"
#include "host/model/parameter_layout.hpp"

namespace warpfit {

/// The parameters that PyTorch gives nn.Sequential(Linear, ReLU, ..., Linear) with this generator, in the
/// order of `layout`; its gaps are 0. Source: torch/nn/modules/linear.py, reset_parameters (kaiming_uniform_,
/// a = sqrt(5)).
std::vector<float> initial_parameters(const ParameterLayout& layout, TorchGenerator& generator);

}  // namespace warpfit
