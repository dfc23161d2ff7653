#include "host/cpu/sgd.hpp"

#include <cstdint>

#include "host/cpu/simd.hpp"

namespace warpfit::cpu {

void sgd_update(ThreadPool& pool, Vector parameters, ConstVector gradients, float rate) {
  const auto size = static_cast<std::int64_t>(parameters.size());
  float* w = parameters.data();
  const float* dw = gradients.data();
  pool.split(size, kMinElements, [=](std::int64_t first, std::int64_t end) {
    vectorized([=] {
#pragma omp simd
      for (std::int64_t i = first; i < end; ++i) w[i] -= rate * dw[i];
    });
  });
}

}  // namespace warpfit::cpu
