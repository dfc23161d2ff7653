// y = max(y, 0) and its derivative. Passes of their own: oneDNN's products have a ReLU among their epilogues,
// but it makes a NaN 0, which would hide that a run has diverged.
#pragma once

#include "host/cpu/part.hpp"

namespace warpfit::cpu {

/// y = x < 0 ? 0 : x: a NaN stays one. Of equal shape, and perhaps the same.
void relu_forward(Part<const float> x, Part<float> y);

/// dx = 0 where y, ReLU's output, is not above 0; equal sizes.
void relu_backward(Part<const float> y, Part<float> dx);

}  // namespace warpfit::cpu
