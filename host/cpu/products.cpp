#include "host/cpu/products.hpp"

#include <omp.h>

#include <algorithm>
#include <limits>

#include "host/cpu/bias_gradient.hpp"
#include "host/cpu/relu.hpp"

namespace warpfit::cpu {
namespace {

// About 10 microseconds of a core, against one or two that sharing costs.
constexpr std::int64_t kProductsWorthAThread = 500'000;

/// Rows [row, row + rows) and likewise columns of a result.
struct Tile {
  std::int64_t row, rows, column, columns;
};

/// A result cut into down * across tiles of about equal size.
class Tiles {
 public:
  /// At most `most` tiles, as nearly square as that goes: a thread reads as many rows of one factor and of
  /// the other as its tile has rows and columns.
  Tiles(std::int64_t rows, std::int64_t columns, int most) : rows_(rows), columns_(columns) {
    std::int64_t best = std::numeric_limits<std::int64_t>::max();
    for (int down = 1; down <= most; ++down) {
      const int across = most / down;
      const std::int64_t high = (rows + down - 1) / down;
      const std::int64_t wide = (columns + across - 1) / across;
      const std::int64_t cost = high * wide * 64 + (high + wide);  // work first, then reading
      if (cost >= best) continue;
      best = cost;
      down_ = down;
      across_ = across;
    }
  }

  [[nodiscard]] int count() const { return down_ * across_; }
  [[nodiscard]] Tile operator[](int part) const {
    const auto [row, rows] = stretch(rows_, down_, part / across_, 1);
    const auto [column, columns] = stretch(columns_, across_, part % across_, 16);
    return {row, rows, column, columns};
  }

 private:
  struct Stretch {
    std::int64_t first, size;
  };
  // In multiples of a vector's width.
  static Stretch stretch(std::int64_t size, int parts, int part, std::int64_t width) {
    const auto border = [&](int at) {
      return std::min(size, (size * at / parts + width - 1) / width * width);
    };
    return {border(part), border(part + 1) - border(part)};
  }

  std::int64_t rows_, columns_;
  int down_ = 1, across_ = 1;
};

template <class T>
Part<T> part_of(MatrixView<T> matrix, const Tile& tile) {
  return {matrix.data + tile.row * matrix.cols + tile.column, tile.rows, tile.columns, matrix.cols};
}

ConstMatrix rows_of(ConstMatrix matrix, std::int64_t first, std::int64_t count) {
  return {matrix.data + first * matrix.cols, count, matrix.cols};
}

/// Columns [first, first + count).
Part<const float> columns_of(ConstMatrix matrix, std::int64_t first, std::int64_t count) {
  return {matrix.data + first, matrix.rows, count, matrix.cols};
}

/// work(matmul, tile) for each tile of a result of so many sums of `depth` products.
template <class Work>
void share(ThreadPool& pool, std::vector<std::unique_ptr<Matmul>>& matmuls, ConstMatrix result,
           std::int64_t depth, const Work& work) {
  const Tiles tiles(result.rows, result.cols, pool.parts_for(result.size() * depth / kProductsWorthAThread));
  pool.run(tiles.count(), [&](int part) {
    const Tile tile = tiles[part];
    if (tile.rows > 0 && tile.columns > 0) work(*matmuls[static_cast<std::size_t>(part)], tile);
  });
}

}  // namespace

// oneDNN shares work among OpenMP's threads: of each of ours it gets that one alone.
Products::Products(ThreadPool& pool) : pool_(pool), matmuls_(static_cast<std::size_t>(pool.threads())) {
  pool_.run(pool_.threads(), [this](int part) {
    omp_set_num_threads(1);
    matmuls_[static_cast<std::size_t>(part)] = std::make_unique<Matmul>();
  });
}

void Products::forward(ConstMatrix x, ConstMatrix w, ConstVector b, Activation activation, Matrix y) {
  share(pool_, matmuls_, y, x.cols, [&](Matmul& matmul, const Tile& tile) {
    const auto part = part_of(y, tile);
    matmul.forward(rows_of(x, tile.row, tile.rows), rows_of(w, tile.column, tile.columns),
                   b.data() + tile.column, part);
    if (activation == Activation::kRelu) relu_forward(part);
  });
}

void Products::backward_input(ConstMatrix dy, ConstMatrix w, ConstMatrix x, Activation activation,
                              Matrix dx) {
  share(pool_, matmuls_, dx, dy.cols, [&](Matmul& matmul, const Tile& tile) {
    const auto part = part_of(dx, tile);
    matmul.backward_input(rows_of(dy, tile.row, tile.rows), columns_of(w, tile.column, tile.columns), part);
    if (activation == Activation::kRelu) relu_backward(part_of(x, tile), part);
  });
}

void Products::backward_weights(ConstMatrix x, ConstMatrix dy, Matrix dw, Vector db) {
  share(pool_, matmuls_, dw, x.rows, [&](Matmul&, const Tile& tile) {
    const auto rows_dy = columns_of(dy, tile.row, tile.rows);
    Matmul::backward_weights(columns_of(x, tile.column, tile.columns), rows_dy, 1.0F, 0.0F,
                             part_of(dw, tile));
    if (tile.column == 0) bias_gradient(rows_dy, db.subspan(tile.row, tile.rows));
  });
}

void Products::backward_sgd(ConstMatrix x, ConstMatrix dy, float rate, Matrix w, Vector b) {
  share(pool_, matmuls_, w, x.rows, [&](Matmul&, const Tile& tile) {
    const auto rows_dy = columns_of(dy, tile.row, tile.rows);
    Matmul::backward_weights(columns_of(x, tile.column, tile.columns), rows_dy, -rate, 1.0F,
                             part_of(w, tile));
    if (tile.column == 0) bias_sgd(rows_dy, rate, b.subspan(tile.row, tile.rows));
  });
}

}  // namespace warpfit::cpu
