#include "host/cpu/sgd.hpp"

#include <cstdint>

namespace warpfit::cpu {

void sgd_update(Vector parameters, ConstVector gradients, float rate) {
  const auto size = static_cast<std::int64_t>(parameters.size());
  float* w = parameters.data();
  const float* dw = gradients.data();
#pragma omp parallel for simd if (size > 16384)
  for (std::int64_t i = 0; i < size; ++i) w[i] -= rate * dw[i];
}

}  // namespace warpfit::cpu
