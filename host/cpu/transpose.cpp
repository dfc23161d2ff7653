#include "host/cpu/transpose.hpp"

#include <algorithm>

#include "host/cpu/simd.hpp"

namespace warpfit::cpu {
namespace {

constexpr std::int64_t kTile = 16;  // rows and columns of a tile, which remains in the first-level cache

void transpose_matrix(std::int64_t rows, std::int64_t columns, const float* x, float* y) {
  for (std::int64_t top = 0; top < rows; top += kTile) {
    const auto bottom = std::min(top + kTile, rows);
    for (std::int64_t left = 0; left < columns; left += kTile) {
      const auto right = std::min(left + kTile, columns);
      for (auto column = left; column < right; ++column) {
        for (auto row = top; row < bottom; ++row) y[column * rows + row] = x[row * columns + column];
      }
    }
  }
}

}  // namespace

void transpose(ThreadPool& pool, std::int64_t rows, std::int64_t columns, ConstMatrix x, Matrix y) {
  const auto size = rows * columns;
  pool.split(x.rows, std::max<std::int64_t>(1, kMinElements / size), [&](auto first, auto end) {
    vectorized([&] {
      for (auto sample = first; sample < end; ++sample)
        transpose_matrix(rows, columns, x.data + sample * size, y.data + sample * size);
    });
  });
}

}  // namespace warpfit::cpu
