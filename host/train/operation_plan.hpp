// Translates a network to operations of a device. Only this code decides which operations are fused.
#pragma once

#include <cstdint>

#include "host/backend/operation.hpp"
#include "host/model/network_plan.hpp"

namespace warpfit {

/// ReLU after a linear layer or batch normalization is fused into that layer's operation, and its derivative
/// into that of the next linear layer. Dropout is applied in place. `dropout_seed`: the seed of the masks;
/// each dropout layer also uses its index.
OperationPlan plan_operations(const NetworkPlan& network, std::uint64_t dropout_seed);

}  // namespace warpfit
