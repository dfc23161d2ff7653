#include "host/cpu/dropout.hpp"

#include <algorithm>

namespace warpfit::cpu {

void dropout(const Dropout& dropout, std::int64_t step, Matrix values) {
  constexpr std::int64_t kQuad = 4;
  const std::int64_t size = values.size();
#pragma omp parallel for if (size > 1024)
  for (std::int64_t quad = 0; quad < (size + kQuad - 1) / kQuad; ++quad) {
    const auto factors = dropout.factors(step, quad);
    const std::int64_t first = kQuad * quad;
    const std::int64_t count = std::min(kQuad, size - first);
    for (std::int64_t i = 0; i < count; ++i) values.data[first + i] *= factors[i];
  }
}

}  // namespace warpfit::cpu
