#include "host/cpu/gradient_clipping.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "host/cpu/simd.hpp"

namespace warpfit::cpu {
namespace {

// Uses a fixed number of partial sums, so that the bits do not depend on the width of the vectors.
double sum_of_squares(const float* g, std::int64_t size) {
  constexpr std::int64_t kLanes = 16;
  std::array<double, kLanes> sums{};
  vectorized([&] {
    std::int64_t i = 0;
    for (; i + kLanes <= size; i += kLanes) {
#pragma omp simd
      for (std::int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += double{g[i + lane]} * g[i + lane];
    }
    for (std::int64_t lane = 0; i < size; ++i, ++lane) sums[lane] += double{g[i]} * g[i];
  });
  double sum = 0;
  for (const double lane : sums) sum += lane;
  return sum;
}

}  // namespace

void clip_gradient_norm(ThreadPool& pool, float max_norm, Vector gradients, GradientNorm& norm) {
  const auto size = static_cast<std::int64_t>(gradients.size());
  float* g = gradients.data();
  constexpr auto kParts = static_cast<std::int64_t>(GradientNorm::kParts);
  const std::int64_t each = (size + kParts - 1) / kParts;
  const std::int64_t min_size = std::max<std::int64_t>(1, kMinElements / std::max<std::int64_t>(1, each));
  pool.split(kParts, min_size, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t part = first; part < last; ++part) {
      const std::int64_t start = std::min(size, part * each);
      norm.parts[part] = sum_of_squares(g + start, std::min(each, size - start));
    }
  });
  double sum = 0;
  for (const double part : norm.parts) sum += part;
  norm.norm = static_cast<float>(std::sqrt(sum));

  const float factor = max_norm / (norm.norm + 1e-6F);
  if (factor >= 1) return;  // false for a NaN, which spreads as in PyTorch
  pool.split(size, kMinElements, [=](std::int64_t first, std::int64_t end) {
    vectorized([=] {
#pragma omp simd
      for (std::int64_t i = first; i < end; ++i) g[i] *= factor;
    });
  });
}

void clip_gradient_value(ThreadPool& pool, float limit, Vector gradients) {
  const auto size = static_cast<std::int64_t>(gradients.size());
  float* g = gradients.data();
  pool.split(size, kMinElements, [=](std::int64_t first, std::int64_t end) {
    vectorized([=] {
#pragma omp simd
      for (std::int64_t i = first; i < end; ++i) g[i] = g[i] > limit ? limit : g[i] < -limit ? -limit : g[i];
    });
  });
}

}  // namespace warpfit::cpu
