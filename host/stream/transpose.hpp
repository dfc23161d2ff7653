// Images stored column by column, as those of EMNIST.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace warpfit {

/// Turns samples of `rows` x `columns` pixels into samples of `columns` x `rows`, each in its own memory.
inline void transpose_samples(std::span<std::uint8_t> pixels, std::size_t rows, std::size_t columns) {
  const auto size = rows * columns;
  std::vector<std::uint8_t> stored(size);
  for (; !pixels.empty(); pixels = pixels.subspan(size)) {
    std::copy_n(pixels.begin(), size, stored.begin());
    for (std::size_t column = 0; column < columns; ++column) {
      for (std::size_t row = 0; row < rows; ++row)
        pixels[column * rows + row] = stored[row * columns + column];
    }
  }
}

}  // namespace warpfit
