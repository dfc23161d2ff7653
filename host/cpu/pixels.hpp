// Converts bytes to floats, as torchvision's ToTensor does.
#pragma once

#include <cstdint>
#include <span>

#include "host/backend/views.hpp"

namespace warpfit::cpu {

/// x = float(pixel) / 255, exactly rounded; equal sizes.
void pixels_to_float(std::span<const std::uint8_t> pixels, Vector x);

}  // namespace warpfit::cpu
