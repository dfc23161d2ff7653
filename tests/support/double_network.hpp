// A network computed in double precision by plain loops over samples with channels first, as a reference for
// the gradients of every layer.
#pragma once

#include <cstdint>
#include <vector>

#include "host/model/network_plan.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {

/// The outputs (rows, classes) in training mode for inputs (rows, size of a sample). Layers: linear, conv,
/// batch normalization, pooling, residual blocks, ReLU and GELU.
Doubles outputs_in_double(const NetworkPlan& plan, const Doubles& parameters, Doubles values,
                          std::int64_t rows);

}  // namespace warpfit::test
