// Translates a network to operations of a device. Only this code decides which operations are fused.
#pragma once

#include <cstdint>

#include "host/backend/operation.hpp"
#include "host/model/network_plan.hpp"

namespace warpfit {

/// ReLU before or after max pooling is fused into it: the results are the same. Other ReLU after a linear
/// layer, a convolution or batch normalization is fused into that layer's operation, and its derivative into
/// that of the next linear layer or convolution. Dropout is applied in place.
/// Images are channels last between operations on images: they are transposed before the first one, and back
/// when they are flattened. `dropout_seed`: the seed of the masks; each dropout layer also uses its index.
/// `sync_batch_norm`: whether batch normalization is synchronized between ranks.
OperationPlan plan_operations(const NetworkPlan& network, std::uint64_t dropout_seed,
                              bool sync_batch_norm = false);

}  // namespace warpfit
