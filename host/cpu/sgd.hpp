// Plain stochastic gradient descent over a flat buffer.
#pragma once

#include "host/backend/views.hpp"

namespace warpfit::cpu {

/// parameters -= rate * gradients; equal sizes.
void sgd_update(Vector parameters, ConstVector gradients, float rate);

}  // namespace warpfit::cpu
