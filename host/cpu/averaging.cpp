#include "host/cpu/averaging.hpp"

#include <algorithm>

#include "host/backend/average_formula.hpp"
#include "host/cpu/simd.hpp"

namespace warpfit::cpu {

void average(ThreadPool& pool, double decay, ConstVector parameters, Vector averages,
             AverageProgress& progress) {
  const float weight = average_weight(decay, progress.models++);
  const float* w = parameters.data();
  float* a = averages.data();
  pool.split(static_cast<std::int64_t>(parameters.size()), kMinElements,
             [=](std::int64_t first, std::int64_t end) {
               vectorized([=] {
#pragma omp simd
                 for (std::int64_t i = first; i < end; ++i) a[i] = warpfit::average(a[i], w[i], weight);
               });
             });
}

void swap(ThreadPool& pool, Vector a, Vector b) {
  pool.split(static_cast<std::int64_t>(a.size()), kMinElements, [=](std::int64_t first, std::int64_t end) {
    std::swap_ranges(a.data() + first, a.data() + end, b.data() + first);
  });
}

}  // namespace warpfit::cpu
