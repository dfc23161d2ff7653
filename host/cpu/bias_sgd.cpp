#include "host/cpu/bias_sgd.hpp"

#include <algorithm>
#include <array>

namespace warpfit::cpu {

void bias_sgd(ConstMatrix dy, float rate, Vector b) {
  constexpr std::int64_t kColumns = 128;  // sums that stay in the first cache
#pragma omp parallel for if (dy.size() > 16384)
  for (std::int64_t first = 0; first < dy.cols; first += kColumns) {
    const std::int64_t columns = std::min(kColumns, dy.cols - first);
    std::array<float, kColumns> sum{};
    for (std::int64_t row = 0; row < dy.rows; ++row) {
      const float* gradient = dy.data + row * dy.cols + first;
      for (std::int64_t i = 0; i < columns; ++i) sum[i] += gradient[i];
    }
    for (std::int64_t i = 0; i < columns; ++i) b[first + i] -= rate * sum[i];
  }
}

}  // namespace warpfit::cpu
