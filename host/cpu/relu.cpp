#include "host/cpu/relu.hpp"

#include "host/cpu/simd.hpp"

namespace warpfit::cpu {

void relu_forward(Part<const float> x, Part<float> y) {
  vectorized([=] {
    for (std::int64_t row = 0; row < y.rows; ++row) {
      const float* input = x.data + row * x.stride;
      float* output = y.data + row * y.stride;
#pragma omp simd
      for (std::int64_t i = 0; i < y.cols; ++i) output[i] = input[i] < 0.0F ? 0.0F : input[i];
    }
  });
}

void relu_backward(Part<const float> y, Part<float> dx) {
  vectorized([=] {
    for (std::int64_t row = 0; row < dx.rows; ++row) {
      const float* output = y.data + row * y.stride;
      float* gradient = dx.data + row * dx.stride;
#pragma omp simd
      for (std::int64_t i = 0; i < dx.cols; ++i) gradient[i] = output[i] > 0.0F ? gradient[i] : 0.0F;
    }
  });
}

}  // namespace warpfit::cpu
