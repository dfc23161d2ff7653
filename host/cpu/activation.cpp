#include "host/cpu/activation.hpp"

#include "host/backend/activation_function.hpp"
#include "host/cpu/simd.hpp"

namespace warpfit::cpu {

void activation_forward(ThreadPool& pool, const Activation& activation, ConstMatrix x, Matrix y) {
  with_function(activation, [&](const auto& function) {
    pool.split(x.size(), kMinElements, [&, function](std::int64_t first, std::int64_t end) {
      vectorized([=] {
#pragma omp simd
        for (std::int64_t i = first; i < end; ++i) y.data[i] = function.value(x.data[i]);
      });
    });
  });
}

void activation_backward(ThreadPool& pool, const Activation& activation, ConstMatrix x, ConstMatrix dy,
                         Matrix dx) {
  with_function(activation, [&](const auto& function) {
    pool.split(x.size(), kMinElements, [&, function](std::int64_t first, std::int64_t end) {
      vectorized([=] {
#pragma omp simd
        for (std::int64_t i = first; i < end; ++i) dx.data[i] = dy.data[i] * function.derivative(x.data[i]);
      });
    });
  });
}

}  // namespace warpfit::cpu
