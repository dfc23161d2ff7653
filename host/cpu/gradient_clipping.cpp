#include "host/cpu/gradient_clipping.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace warpfit::cpu {

void clip_gradient_norm(float most, Vector gradients, GradientNorm& norm) {
  const auto size = static_cast<std::int64_t>(gradients.size());
  float* g = gradients.data();
  constexpr auto kParts = static_cast<std::int64_t>(GradientNorm::kParts);
  const std::int64_t each = (size + kParts - 1) / kParts;
#pragma omp parallel for if (size > 16384)
  for (std::int64_t part = 0; part < kParts; ++part) {
    double sum = 0;
    const std::int64_t end = std::min(size, (part + 1) * each);
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = part * each; i < end; ++i) sum += double{g[i]} * g[i];
    norm.parts[part] = sum;
  }
  double sum = 0;
  for (const double part : norm.parts) sum += part;
  norm.norm = static_cast<float>(std::sqrt(sum));

  const float factor = most / (norm.norm + 1e-6F);
  if (factor >= 1) return;  // not so for a NaN, which spreads as in PyTorch
#pragma omp parallel for simd if (size > 16384)
  for (std::int64_t i = 0; i < size; ++i) g[i] *= factor;
}

void clip_gradient_value(float most, Vector gradients) {
  const auto size = static_cast<std::int64_t>(gradients.size());
  float* g = gradients.data();
#pragma omp parallel for simd if (size > 16384)
  for (std::int64_t i = 0; i < size; ++i) g[i] = g[i] > most ? most : g[i] < -most ? -most : g[i];
}

}  // namespace warpfit::cpu
