// Functions of each value by itself, which follow a layer.
#pragma once

#include <cstdint>

namespace warpfit {

enum class ActivationKind : std::uint8_t { kNone, kRelu };

/// ReLU: y = x where x is above 0 or NaN, else 0.
struct Activation {
  ActivationKind kind = ActivationKind::kRelu;

  friend bool operator==(const Activation&, const Activation&) = default;
};

}  // namespace warpfit
