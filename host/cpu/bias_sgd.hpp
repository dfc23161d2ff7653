// Bias gradient and its plain SGD update in one pass.
#pragma once

#include "host/backend/views.hpp"

namespace warpfit::cpu {

/// b (M) -= rate * (sum over rows of dy (N, M)); rows are added in order.
void bias_sgd(ConstMatrix dy, float rate, Vector b);

}  // namespace warpfit::cpu
