// Which operations a network is, for a device: the only code that decides what is fused.
#pragma once

#include <cstdint>

#include "host/backend/operation.hpp"
#include "host/model/network_plan.hpp"

namespace warpfit {

/// ReLU after a linear layer or batch normalization is part of that layer's operation, and its derivative of
/// the next linear layer's. Dropout works in place. `dropout_seed`: of the masks; the dropout layers are told
/// apart by their number.
OperationPlan plan_operations(const NetworkPlan& network, std::uint64_t dropout_seed);

}  // namespace warpfit
