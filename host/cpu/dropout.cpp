#include "host/cpu/dropout.hpp"

#include <algorithm>

namespace warpfit::cpu {

void dropout(ThreadPool& pool, const Dropout& dropout, std::int64_t step, Matrix values) {
  constexpr std::int64_t kQuad = 4;
  const std::int64_t size = values.size();
  constexpr std::int64_t kLeastQuads = 256;  // random numbers cost more than a product
  pool.split((size + kQuad - 1) / kQuad, kLeastQuads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t quad = begin; quad < end; ++quad) {
      const auto factors = dropout.factors(step, quad);
      const std::int64_t first = kQuad * quad;
      const std::int64_t count = std::min(kQuad, size - first);
      for (std::int64_t i = 0; i < count; ++i) values.data[first + i] *= factors[i];
    }
  });
}

}  // namespace warpfit::cpu
