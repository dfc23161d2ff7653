#include "host/cpu/relu.hpp"

#include <cstdint>

namespace warpfit::cpu {

void relu_backward(ConstVector y, Vector dx) {
  const auto size = static_cast<std::int64_t>(dx.size());
  const float* output = y.data();
  float* gradient = dx.data();
#pragma omp parallel for simd if (size > 16384)
  for (std::int64_t i = 0; i < size; ++i) gradient[i] = output[i] > 0.0F ? gradient[i] : 0.0F;
}

}  // namespace warpfit::cpu
