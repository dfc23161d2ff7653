// A network as a table.
#pragma once

#include <string>

#include "host/model/network_plan.hpp"

namespace warpfit {

/// A row per layer: its text as in --network, the shape of its output, its number of parameters, and the FLOP
/// of its matrix products in a forward pass of one sample. The last row has the sums.
std::string network_table(const NetworkPlan& plan);

}  // namespace warpfit
