// Initialization of the network's first convolution with filters that whiten the patches of the training
// images (conv(..., init=whiten)), as in Keller Jordan's training of CIFAR-10
// (https://arxiv.org/abs/2404.00498).
#pragma once

#include <span>

#include "host/backend/pixel_transform.hpp"
#include "host/model/network_plan.hpp"
#include "host/stream/subset.hpp"

namespace warpfit {

/// If the plan asks for it, replaces the weight of the first layer. P are the patches of kernel x kernel
/// pixels and all channels of the first 5000 samples (fewer for large windows of large images), n their
/// number, and C = P'P / n, with eigenvalues l_i in descending order and eigenvectors v_i: the filters are
/// v_i / sqrt(l_i + 0.0005), as many as half of the layer's output channels, followed by the same filters
/// with negative sign. `normalization`: of the samples. Errors: UsageError if the samples are smaller than a
/// patch.
void whiten_first_layer(const NetworkPlan& plan, const Subset& samples, const Normalization& normalization,
                        std::span<float> parameters);

}  // namespace warpfit
