// Parts of matrices.
#pragma once

#include <cstdint>

#include "host/backend/views.hpp"

namespace warpfit::cpu {

/// `rows` rows of `cols` values each, from a row-major matrix with rows of `stride`.
template <class T>
struct Part {
  T* data;
  std::int64_t rows, cols, stride;

  /// Converts to a read-only view.
  operator Part<const T>() const {
    return {data, rows, cols, stride};
  }  // NOLINT(google-explicit-constructor)
};

/// Rows [row, row + rows) of a matrix, and columns likewise.
struct Tile {
  std::int64_t row, rows, column, columns;
};

template <class T>
Part<T> part_of(MatrixView<T> matrix, const Tile& tile) {
  return {matrix.data + tile.row * matrix.cols + tile.column, tile.rows, tile.columns, matrix.cols};
}

}  // namespace warpfit::cpu
