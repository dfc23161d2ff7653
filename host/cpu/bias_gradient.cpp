#include "host/cpu/bias_gradient.hpp"

#include <algorithm>
#include <array>

#include "host/cpu/simd.hpp"

namespace warpfit::cpu {
namespace {

// Calls finish(column, sum) for each column of dy.
template <class Finish>
void for_each_column_sum(Part<const float> dy, Finish finish) {
  vectorized([&] {
    constexpr std::int64_t kColumns = 128;  // their sums stay in the L1 cache
    for (std::int64_t first = 0; first < dy.cols; first += kColumns) {
      const std::int64_t columns = std::min(kColumns, dy.cols - first);
      std::array<float, kColumns> sum{};
      for (std::int64_t row = 0; row < dy.rows; ++row) {
        const float* gradient = dy.data + row * dy.stride + first;
        for (std::int64_t i = 0; i < columns; ++i) sum[i] += gradient[i];
      }
      for (std::int64_t i = 0; i < columns; ++i) finish(first + i, sum[i]);
    }
  });
}

}  // namespace

void bias_gradient(Part<const float> dy, Vector db) {
  for_each_column_sum(dy, [db](std::int64_t column, float sum) { db[column] = sum; });
}

void bias_sgd(Part<const float> dy, float rate, Vector b) {
  for_each_column_sum(dy, [b, rate](std::int64_t column, float sum) { b[column] -= rate * sum; });
}

}  // namespace warpfit::cpu
