// The formulas of averages, shared by all devices, in torch.optim.swa_utils' order of operations.
#pragma once

#include <cstdint>

#include "host/backend/host_device.hpp"

namespace warpfit {

/// Weight of the newest model: 1 - decay, or if decay is 0 the same as that of each model before it. The
/// weight of the first model is 1.
WARPFIT_HOST_DEVICE inline float average_weight(double decay, std::int64_t models) {
  if (models == 0) return 1;
  return static_cast<float>(decay > 0 ? 1 - decay : 1 / (static_cast<double>(models) + 1));
}

/// As torch.lerp; with weight 1 the result is `newest`, whatever `before` holds.
WARPFIT_HOST_DEVICE inline float average(float before, float newest, float weight) {
  const float change = newest - before;
  const float mixed = weight < 0.5F ? before + weight * change : newest - change * (1 - weight);
  return weight == 1.0F ? newest : mixed;
}

}  // namespace warpfit
