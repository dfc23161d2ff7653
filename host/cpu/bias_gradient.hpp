// The gradient of a layer's bias, either alone or together with its SGD update in the same pass.
#pragma once

#include "host/cpu/part.hpp"

namespace warpfit::cpu {

/// db (M) = the sum of dy (N, M) over its rows, which are added in order.
void bias_gradient(Part<const float> dy, Vector db);

/// b (M) -= rate * the sum of dy (N, M) over its rows.
void bias_sgd(Part<const float> dy, float rate, Vector b);

}  // namespace warpfit::cpu
