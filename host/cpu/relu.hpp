// The derivative of ReLU (its forward pass is an epilogue of the product, see matmul.hpp).
#pragma once

#include "host/backend/views.hpp"

namespace warpfit::cpu {

/// dx = 0 where y, ReLU's output, is not above 0; equal sizes.
void relu_backward(ConstVector y, Vector dx);

}  // namespace warpfit::cpu
