#include "host/cpu/add.hpp"

#include <cmath>
#include <cstdint>

#include "host/cpu/simd.hpp"

namespace warpfit::cpu {

void add(ThreadPool& pool, ConstVector x, ConstVector y, ActivationKind activation, Vector z) {
  const float least = activation == ActivationKind::kRelu ? 0.0F : -INFINITY;
  pool.split(static_cast<std::int64_t>(z.size()), kMinElements,
             [=, a = x.data(), b = y.data(), sum = z.data()](std::int64_t first, std::int64_t end) {
               vectorized([=] {
                 for (auto i = first; i < end; ++i) {
                   const float value = a[i] + b[i];
                   sum[i] = value < least ? least : value;  // NaN stays
                 }
               });
             });
}

}  // namespace warpfit::cpu
