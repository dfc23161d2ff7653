// Initialization of the network's first convolution with filters that whiten the patches of the training
// images (conv(..., init=whiten)), as in Keller Jordan's training of CIFAR-10
// (https://arxiv.org/abs/2404.00498).
#pragma once

#include <array>
#include <span>
#include <vector>

#include "host/model/network_plan.hpp"
#include "host/stream/subset.hpp"

namespace warpfit {

/// The value of the network's input for each value of a byte in the data set.
using PixelValues = std::array<float, 256>;

/// byte / 255.
[[nodiscard]] PixelValues unit_pixel_values();

/// If the plan asks for it, replaces the weight of the first layer. P are the patches of kernel x kernel
/// pixels and all channels of the first 5000 samples, n their number, and C = P'P / n, with eigenvalues l_i
/// in descending order and eigenvectors v_i: the filters are v_i / sqrt(l_i + 0.0005), as many as half of the
/// layer's output channels, followed by the same filters with negative sign. `pixels`: for each channel, or
/// one for all channels. Errors: UsageError if the samples are smaller than a patch.
void whiten_first_layer(const NetworkPlan& plan, const Subset& samples, std::span<const PixelValues> pixels,
                        std::span<float> parameters);

}  // namespace warpfit
