#include "host/cpu/products.hpp"

#include <algorithm>
#include <limits>

#include "host/cpu/bias_gradient.hpp"
#include "host/cpu/openmp.hpp"
#include "host/cpu/relu.hpp"

namespace warpfit::cpu {
namespace {

// About 3 microseconds of one core; distributing work takes one or two.
constexpr std::int64_t kProductsWorthAThread = 150'000;

/// A result divided into down * across tiles of about equal size.
class Tiles {
 public:
  /// At most `max_tiles` tiles, as square as possible: for its tile, a thread reads one row of the first
  /// operand per row and one row of the second operand per column.
  Tiles(std::int64_t rows, std::int64_t columns, int max_tiles) : rows_(rows), columns_(columns) {
    std::int64_t best = std::numeric_limits<std::int64_t>::max();
    for (int down = 1; down <= max_tiles; ++down) {
      const int across = max_tiles / down;
      const std::int64_t high = (rows + down - 1) / down;
      const std::int64_t wide = (columns + across - 1) / across;
      const std::int64_t cost = high * wide * 64 + (high + wide);  // work first, then memory reads
      if (cost >= best) continue;
      best = cost;
      down_ = down;
      across_ = across;
    }
  }

  [[nodiscard]] int count() const { return down_ * across_; }
  [[nodiscard]] Tile operator[](int part) const {
    const auto [row, rows] = range(rows_, down_, part / across_, 1);
    const auto [column, columns] = range(columns_, across_, part % across_, 16);
    return {row, rows, column, columns};
  }

 private:
  struct Range {
    std::int64_t first, size;
  };
  // In multiples of the vector width.
  static Range range(std::int64_t size, int parts, int part, std::int64_t width) {
    const auto border = [&](int at) {
      return std::min(size, (size * at / parts + width - 1) / width * width);
    };
    return {border(part), border(part + 1) - border(part)};
  }

  std::int64_t rows_, columns_;
  int down_ = 1, across_ = 1;
};

void copy(Part<const float> from, Part<float> to) {
  for (std::int64_t row = 0; row < to.rows; ++row) {
    std::copy_n(from.data + row * from.stride, to.cols, to.data + row * to.stride);
  }
}

template <class T>
MatrixView<const T> rows_of(MatrixView<const T> matrix, std::int64_t first, std::int64_t count) {
  return {matrix.data + first * matrix.cols, count, matrix.cols};
}

/// Columns [first, first + count).
template <class T>
Part<const T> columns_of(MatrixView<const T> matrix, std::int64_t first, std::int64_t count) {
  return {matrix.data + first, matrix.rows, count, matrix.cols};
}

ProductLines lines_of(ConstMatrix rows) { return {rows.data, rows.cols, true}; }
ProductLines columns_as_lines(ConstMatrix matrix, std::int64_t first) {
  return {matrix.data + first, matrix.cols, false};
}

// oneDNN 2.6 computes some large products much faster in parts of at most 1024 columns: in one part, dx (512,
// 3072) over 3072 takes 2.8 times as long (AVX-512, Intel Xeon). With few rows, parts take longer.
constexpr std::int64_t kMaxColumns = 1024;
constexpr std::int64_t kMinSizeForParts = 128;

/// Calls work(tile) for parts of the tile that have a good number of columns for one product.
template <class Work>
void in_columns(const Tile& tile, std::int64_t depth, const Work& work) {
  const bool is_large = std::min(tile.rows, depth) >= kMinSizeForParts;
  const auto parts = is_large ? (tile.columns + kMaxColumns - 1) / kMaxColumns : 1;
  const Tiles tiles(1, tile.columns, static_cast<int>(parts));
  for (int part = 0; part < tiles.count(); ++part) {
    const auto columns = tiles[part];
    work(Tile{tile.row, tile.rows, tile.column + columns.column, columns.columns});
  }
}

/// The tiles of a result whose elements are sums of `depth` products.
Tiles divide(const ThreadPool& pool, ConstMatrix result, std::int64_t depth) {
  return {result.rows, result.cols, pool.parts_for(result.size() * depth / kProductsWorthAThread)};
}

/// Calls work(worker, tile) for each tile.
template <class Workers, class Work>
void share(ThreadPool& pool, const Workers& workers, const Tiles& tiles, const Work& work) {
  pool.run(tiles.count(), [&](int part) {
    const Tile tile = tiles[part];
    if (tile.rows > 0 && tile.columns > 0) work(*workers[static_cast<std::size_t>(part)], tile);
  });
}

/// A tile of a tile.
Tile within(const Tile& tile, const Tile& part) {
  return {tile.row + part.row, part.rows, tile.column + part.column, part.columns};
}

}  // namespace

// oneDNN distributes work over OpenMP threads: each thread of our pool is given only itself.
Products::Products(ThreadPool& pool, bool may_use_amx)
    : pool_(pool), may_use_amx_(may_use_amx), workers_(static_cast<std::size_t>(pool.threads())) {
  pool_.run(pool_.threads(), [this](int part) {
    omp_set_num_threads(1);
    workers_[static_cast<std::size_t>(part)] = std::make_unique<Worker>();
  });
}

// All tiles of a product are computed in the same way, so that equal rows have equal results.
bool Products::uses_amx(const Tile& first, std::int64_t depth) const {
  return may_use_amx_ && AmxProduct::is_faster(first.rows, first.columns, depth);
}

// oneDNN's fastest kernel needs a result without gaps between its rows (106 GFLOP/s compared with 85 for
// 64x512x256), so each tile is computed in a separate buffer, and the activation pass copies it to y.
void Products::forward(ConstMatrix x, ConstMatrix w, ConstVector b, ActivationKind activation, Matrix y) {
  const auto with_onednn = [&](Worker& worker, const Tile& tile) {
    const Part<float> out = part_of(y, tile);
    Part<float> made = out;
    if (tile.columns < y.cols) {
      const auto size = static_cast<std::size_t>(tile.rows * tile.columns);
      if (worker.tile.size() < size) worker.tile.resize(size);
      made = {worker.tile.data(), tile.rows, tile.columns, tile.columns};
    }
    worker.matmul.forward(rows_of(x, tile.row, tile.rows), rows_of(w, tile.column, tile.columns),
                          b.data() + tile.column, made);
    if (activation == ActivationKind::kRelu) {
      relu_forward(made, out);
    } else if (made.data != out.data) {
      copy(made, out);
    }
  };
  const auto tiles = divide(pool_, y, x.cols);
  const bool with_amx = uses_amx(tiles[0], x.cols);
  share(pool_, workers_, tiles, [&](Worker& worker, const Tile& tile) {
    if (!with_amx) return in_columns(tile, x.cols, [&](const Tile& part) { with_onednn(worker, part); });
    const ProductResult result{.c = part_of(y, tile), .bias = b.data() + tile.column};
    worker.amx.run(lines_of(rows_of(x, tile.row, tile.rows)), lines_of(rows_of(w, tile.column, tile.columns)),
                   x.cols, result, [&](const Tile& part) {
                     const auto done = part_of(y, within(tile, part));
                     if (activation == ActivationKind::kRelu) relu_forward(done, done);
                   });
  });
}

void Products::backward_input(ConstMatrix dy, ConstMatrix w, ConstMatrix x, ActivationKind activation,
                              Matrix dx) {
  const auto pass_relu = [&](const Tile& tile) {
    if (activation == ActivationKind::kRelu) relu_backward(part_of(x, tile), part_of(dx, tile));
  };
  const auto tiles = divide(pool_, dx, dy.cols);
  const bool with_amx = uses_amx(tiles[0], dy.cols);
  share(pool_, workers_, tiles, [&](Worker& worker, const Tile& tile) {
    const auto dy_rows = rows_of(dy, tile.row, tile.rows);
    if (with_amx)
      return worker.amx.run(lines_of(dy_rows), columns_as_lines(w, tile.column), dy.cols,
                            {.c = part_of(dx, tile)},
                            [&](const Tile& part) { pass_relu(within(tile, part)); });
    in_columns(tile, dy.cols, [&](const Tile& part) {
      worker.matmul.backward_input(dy_rows, columns_of(w, part.column, part.columns), part_of(dx, part));
      pass_relu(part);
    });
  });
}

void Products::forward(ConstBf16Matrix x, ConstBf16Matrix w, Matrix y) {
  share(pool_, workers_, divide(pool_, y, x.cols), [&](Worker& worker, const Tile& whole) {
    in_columns(whole, x.cols, [&](const Tile& tile) {
      worker.matmul.forward(rows_of(x, tile.row, tile.rows), rows_of(w, tile.column, tile.columns),
                            part_of(y, tile));
    });
  });
}

void Products::backward_input(ConstBf16Matrix dy, ConstBf16Matrix w, Matrix dx) {
  share(pool_, workers_, divide(pool_, dx, dy.cols), [&](Worker& worker, const Tile& whole) {
    in_columns(whole, dy.cols, [&](const Tile& tile) {
      worker.matmul.backward_input(rows_of(dy, tile.row, tile.rows), columns_of(w, tile.column, tile.columns),
                                   part_of(dx, tile));
    });
  });
}

// Computes dw = scale * dy' x + keep * dw, then calls finish(columns of dy, index of the first) for the
// biases of each row of tiles.
template <class Finish>
void Products::accumulate(ConstMatrix x, ConstMatrix dy, float scale, float keep, Matrix dw,
                          const Finish& finish) {
  const auto tiles = divide(pool_, dw, x.rows);
  const bool with_amx = uses_amx(tiles[0], x.rows);
  share(pool_, workers_, tiles, [&](Worker& worker, const Tile& tile) {
    if (with_amx) {
      worker.amx.run(columns_as_lines(dy, tile.row), columns_as_lines(x, tile.column), x.rows,
                     {.c = part_of(dw, tile), .scale = scale, .keep = keep});
    } else {
      in_columns(tile, x.rows, [&](const Tile& part) {
        worker.matmul.backward_weights(columns_of(x, part.column, part.columns),
                                       columns_of(dy, part.row, part.rows), scale, keep, part_of(dw, part));
      });
    }
    if (tile.column == 0) finish(columns_of(dy, tile.row, tile.rows), tile.row);
  });
}

void Products::backward_weights(ConstMatrix x, ConstMatrix dy, Matrix dw, Vector db) {
  accumulate(x, dy, 1.0F, 0.0F, dw, [db](Part<const float> part, std::int64_t first) {
    bias_gradient(part, db.subspan(first, part.cols));
  });
}

void Products::backward_sgd(ConstMatrix x, ConstMatrix dy, float rate, Matrix w, Vector b) {
  accumulate(x, dy, -rate, 1.0F, w, [b, rate](Part<const float> part, std::int64_t first) {
    bias_sgd(part, rate, b.subspan(first, part.cols));
  });
}

}  // namespace warpfit::cpu
