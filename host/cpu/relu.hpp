// y = max(y, 0) and its derivative, as separate passes: oneDNN can apply ReLU after a product, but its ReLU
// turns a NaN into 0, which would hide a diverged run.
#pragma once

#include "host/cpu/part.hpp"

namespace warpfit::cpu {

/// y = x < 0 ? 0 : x, so that a NaN stays a NaN. Equal shapes; x and y may be the same matrix.
void relu_forward(Part<const float> x, Part<float> y);

/// Sets dx to 0 where y, the output of ReLU, is not above 0; equal sizes.
void relu_backward(Part<const float> y, Part<float> dx);

}  // namespace warpfit::cpu
