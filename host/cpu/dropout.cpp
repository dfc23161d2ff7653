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

void dropout(ThreadPool& pool, const DropoutMask& dropout, std::int64_t step, std::int64_t first,
             Matrix values) {
  const std::int64_t end = first + values.size();
  const std::int64_t first_quad = first / kQuad;
  constexpr std::int64_t kMinQuads = 256;  // per thread; random numbers cost more than multiplications
  pool.split((end + kQuad - 1) / kQuad - first_quad, kMinQuads, [&](std::int64_t begin, std::int64_t last) {
    // Elements of other rows or of another thread's quads are left out at both ends.
    const auto drop_quad = [&](std::int64_t quad) {
      const auto multipliers = dropout.multipliers(step, quad);
      for (auto i = std::max(first, kQuad * quad); i < std::min(end, kQuad * quad + kQuad); ++i)
        values.data[i - first] *= multipliers[static_cast<std::size_t>(i - kQuad * quad)];
    };
    std::int64_t quad = first_quad + begin;
    last += first_quad;
    if (quad < last && kQuad * quad < first) drop_quad(quad++);
    vectorized([&] {
      for (; kQuad * (quad + kLanes) <= std::min(end, kQuad * last); quad += kLanes)
        drop_lanes(dropout, step, quad, values.data + kQuad * quad - first);
    });
    for (; quad < last; ++quad) drop_quad(quad);
  });
}

}  // namespace warpfit::cpu
