// Activations: element-wise functions that follow a layer; names and defaults are PyTorch's. The formulas are
// in host/backend/activation_function.hpp.
#pragma once

#include <cstdint>

namespace warpfit {

enum class ActivationKind : std::uint8_t { kNone, kRelu, kLeakyRelu, kElu, kGelu, kSilu, kSigmoid, kTanh };

struct Activation {
  ActivationKind kind = ActivationKind::kRelu;
  float parameter = 0;  ///< negative_slope of leakyrelu, alpha of elu; 0 for the others

  friend bool operator==(const Activation&, const Activation&) = default;
};

}  // namespace warpfit
