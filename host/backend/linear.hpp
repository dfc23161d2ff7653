// A linear layer's views.
#pragma once

#include "host/backend/activation.hpp"
#include "host/backend/views.hpp"

namespace warpfit {

/// One linear layer and what follows it.
struct LinearViews {
  Matrix w;  ///< (outputs, inputs)
  Vector b;  ///< (outputs)
  ActivationKind activation = ActivationKind::kNone;
};

}  // namespace warpfit
