// The formulas of averages, one for all devices and in torch.optim.swa_utils' order of operations.
#pragma once

#include <cstdint>

#include "host/backend/host_device.hpp"

namespace warpfit {

/// How much the newest model counts: 1 - decay, or where decay is 0 as much as each before. The first is
/// taken whole.
WARPFIT_HOST_DEVICE inline float average_weight(double decay, std::int64_t models) {
  if (models == 0) return 1;
  return static_cast<float>(decay > 0 ? 1 - decay : 1 / (static_cast<double>(models) + 1));
}

/// As torch.lerp; with weight 1 `newest`, whatever was before.
WARPFIT_HOST_DEVICE inline float average(float before, float newest, float weight) {
  const float change = newest - before;
  const float mixed = weight < 0.5F ? before + weight * change : newest - change * (1 - weight);
  return weight == 1.0F ? newest : mixed;
}

}  // namespace warpfit
