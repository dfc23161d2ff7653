#include "host/cpu/gradient_clipping.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace warpfit::cpu {

void clip_gradient_norm(ThreadPool& pool, float most, Vector gradients, GradientNorm& norm) {
  const auto size = static_cast<std::int64_t>(gradients.size());
  float* g = gradients.data();
  constexpr auto kParts = static_cast<std::int64_t>(GradientNorm::kParts);
  const std::int64_t each = (size + kParts - 1) / kParts;
  const std::int64_t least = std::max<std::int64_t>(1, kLeastElements / std::max<std::int64_t>(1, each));
  pool.split(kParts, least, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t part = first; part < last; ++part) {
      double sum = 0;
      const std::int64_t end = std::min(size, (part + 1) * each);
#pragma omp simd reduction(+ : sum)
      for (std::int64_t i = part * each; i < end; ++i) sum += double{g[i]} * g[i];
      norm.parts[part] = sum;
    }
  });
  double sum = 0;
  for (const double part : norm.parts) sum += part;
  norm.norm = static_cast<float>(std::sqrt(sum));

  const float factor = most / (norm.norm + 1e-6F);
  if (factor >= 1) return;  // not so for a NaN, which spreads as in PyTorch
  pool.split(size, kLeastElements, [=](std::int64_t first, std::int64_t end) {
#pragma omp simd
    for (std::int64_t i = first; i < end; ++i) g[i] *= factor;
  });
}

void clip_gradient_value(ThreadPool& pool, float most, Vector gradients) {
  const auto size = static_cast<std::int64_t>(gradients.size());
  float* g = gradients.data();
  pool.split(size, kLeastElements, [=](std::int64_t first, std::int64_t end) {
#pragma omp simd
    for (std::int64_t i = first; i < end; ++i) g[i] = g[i] > most ? most : g[i] < -most ? -most : g[i];
  });
}

}  // namespace warpfit::cpu
