#include "host/cpu/relu.hpp"

#include <cstdint>

namespace warpfit::cpu {

void relu_forward(Vector y) {
  const auto size = static_cast<std::int64_t>(y.size());
  float* values = y.data();
#pragma omp parallel for simd if (size > 16384)
  for (std::int64_t i = 0; i < size; ++i) values[i] = values[i] < 0.0F ? 0.0F : values[i];
}

void relu_backward(ConstVector y, Vector dx) {
  const auto size = static_cast<std::int64_t>(dx.size());
  const float* output = y.data();
  float* gradient = dx.data();
#pragma omp parallel for simd if (size > 16384)
  for (std::int64_t i = 0; i < size; ++i) gradient[i] = output[i] > 0.0F ? gradient[i] : 0.0F;
}

}  // namespace warpfit::cpu
