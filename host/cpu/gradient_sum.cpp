#include "host/cpu/gradient_sum.hpp"

#include <algorithm>
#include <cstdint>

#include "host/cpu/simd.hpp"

namespace warpfit::cpu {

void add_scaled(ThreadPool& pool, float share, ConstVector values, Vector sum) {
  const float* g = values.data();
  float* s = sum.data();
  pool.split(static_cast<std::int64_t>(sum.size()), kMinElements, [=](std::int64_t first, std::int64_t end) {
    vectorized([=] {
#pragma omp simd
      for (std::int64_t i = first; i < end; ++i) s[i] += share * g[i];
    });
  });
}

void clear(ThreadPool& pool, Vector values) {
  pool.split(static_cast<std::int64_t>(values.size()), kMinElements,
             [=](std::int64_t first, std::int64_t end) {
               std::fill(values.data() + first, values.data() + end, 0.0F);
             });
}

}  // namespace warpfit::cpu
