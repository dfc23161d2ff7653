// A linear layer's views.
#pragma once

#include "host/backend/views.hpp"

namespace warpfit {

enum class Activation { kNone, kRelu };

/// One linear layer and what follows it.
struct Linear {
  Matrix w;  ///< (outputs, inputs)
  Vector b;  ///< (outputs)
  Activation activation = Activation::kNone;
};

}  // namespace warpfit
