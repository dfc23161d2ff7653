#include "host/cpu/dropout.hpp"

#include <algorithm>

#include "host/cpu/simd.hpp"

namespace warpfit::cpu {
namespace {

constexpr std::int64_t kQuad = 4;
/// Number of quads whose random numbers are drawn together: the 32-bit words of an AVX-512 vector.
constexpr std::int64_t kLanes = 16;

// Multiplies the values of kLanes quads by their multipliers. `values` points to the first value of quad
// `first`.
inline void drop_lanes(const DropoutMask& dropout, std::int64_t step, std::int64_t first, float* values) {
  using Lanes = std::array<std::uint32_t, kLanes>;
  std::array<Lanes, kQuad> words;
  const auto counter = dropout.counter(step, first);
  for (std::int64_t i = 0; i < kQuad; ++i) words[i].fill(counter[i]);
  for (std::int64_t lane = 0; lane < kLanes; ++lane) words[0][lane] += static_cast<std::uint32_t>(lane);
  Philox key(dropout.seed);
  for (int round = 0; round < Philox::kRounds; ++round, key.advance()) {
#pragma omp simd
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      key.mix(words[0][lane], words[1][lane], words[2][lane], words[3][lane]);
    }
  }
  std::array<float, kQuad * kLanes> multipliers;
#pragma omp simd
  for (std::int64_t lane = 0; lane < kLanes; ++lane) {
    for (std::int64_t i = 0; i < kQuad; ++i)
      multipliers[kQuad * lane + i] = dropout.multiplier(words[i][lane]);
  }
  for (std::int64_t i = 0; i < kQuad * kLanes; ++i) values[i] *= multipliers[i];
}

}  // namespace

void dropout(ThreadPool& pool, const DropoutMask& dropout, std::int64_t step, Matrix values) {
  const std::int64_t size = values.size();
  constexpr std::int64_t kMinQuads = 256;  // per thread; random numbers cost more than multiplications
  pool.split((size + kQuad - 1) / kQuad, kMinQuads, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t quad = begin;
    vectorized([&] {
      for (; kQuad * (quad + kLanes) <= std::min(size, kQuad * end); quad += kLanes) {
        drop_lanes(dropout, step, quad, values.data + kQuad * quad);
      }
    });
    for (; quad < end; ++quad) {
      const auto multipliers = dropout.multipliers(step, quad);
      const std::int64_t first = kQuad * quad;
      const std::int64_t count = std::min(kQuad, size - first);
      for (std::int64_t i = 0; i < count; ++i) values.data[first + i] *= multipliers[i];
    }
  });
}

}  // namespace warpfit::cpu
