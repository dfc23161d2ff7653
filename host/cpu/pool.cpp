#include "host/cpu/pool.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/cpu/simd.hpp"

namespace warpfit::cpu {
namespace {

// The values of one window that lie within the image.
struct Range {
  std::int64_t first, end;
};

Range range_of(const Windows& windows, std::int64_t window, std::int64_t extent) {
  const auto start = window * windows.stride - windows.padding;
  return {std::max<std::int64_t>(0, start), std::min(start + windows.size, extent)};
}

// visit(row, column, value) of a window, row by row.
template <class Visit>
void visit_window(const PoolOperation& operation, const float* plane, std::int64_t y, std::int64_t x,
                  Visit visit) {
  const auto rows = range_of(operation.rows, y, operation.in.height);
  const auto columns = range_of(operation.columns, x, operation.in.width);
  for (auto row = rows.first; row < rows.end; ++row) {
    for (auto column = columns.first; column < columns.end; ++column)
      visit(row, column, plane[row * operation.in.width + column]);
  }
}

void max_of_window(const PoolOperation& operation, const float* plane, std::int64_t y, std::int64_t x,
                   float& max, std::uint16_t& position) {
  max = -std::numeric_limits<float>::infinity();
  std::int64_t at = -1;
  visit_window(operation, plane, y, x, [&](std::int64_t row, std::int64_t column, float value) {
    if (at >= 0 && !(value > max) && !std::isnan(value)) return;
    max = value;
    at = operation.position(y, x, row, column);
  });
  position = static_cast<std::uint16_t>(at);
}

float mean_of_window(const PoolOperation& operation, const float* plane, std::int64_t y, std::int64_t x) {
  float sum = 0;
  visit_window(operation, plane, y, x, [&](std::int64_t, std::int64_t, float value) { sum += value; });
  return sum / static_cast<float>(operation.rows.size * operation.columns.size);
}

// work(number of a channel of a sample) for all of the batch.
template <class Work>
void for_each_plane(ThreadPool& pool, const PoolOperation& operation, std::int64_t rows, const Work& work) {
  const auto plane = operation.in.height * operation.in.width;
  pool.split(rows * operation.in.channels, std::max<std::int64_t>(1, kMinElements / plane),
             [&](std::int64_t first, std::int64_t end) {
               vectorized([&] {
                 for (auto channel = first; channel < end; ++channel) work(channel);
               });
             });
}

}  // namespace

void pool_forward(ThreadPool& pool, const PoolOperation& operation, ConstMatrix x, Matrix y,
                  std::span<std::uint16_t> positions) {
  const auto out = operation.out();
  for_each_plane(pool, operation, x.rows, [&](std::int64_t channel) {
    const float* plane = x.data + channel * operation.in.height * operation.in.width;
    auto at = channel * out.height * out.width;
    for (std::int64_t row = 0; row < out.height; ++row) {
      for (std::int64_t column = 0; column < out.width; ++column, ++at) {
        if (operation.kind == PoolKind::kMax) {
          max_of_window(operation, plane, row, column, y.data[at], positions[at]);
        } else {
          y.data[at] = mean_of_window(operation, plane, row, column);
        }
      }
    }
  });
}

void pool_backward(ThreadPool& pool, const PoolOperation& operation, ConstMatrix dy,
                   std::span<const std::uint16_t> positions, Matrix dx) {
  const auto out = operation.out();
  const auto share = 1 / static_cast<float>(operation.rows.size * operation.columns.size);
  for_each_plane(pool, operation, dy.rows, [&](std::int64_t channel) {
    const auto first = channel * out.height * out.width;
    float* plane = dx.data + channel * operation.in.height * operation.in.width;
    for (std::int64_t row = 0; row < operation.in.height; ++row) {
      const auto y_end = operation.rows.end(row, out.height);
      for (std::int64_t column = 0; column < operation.in.width; ++column) {
        const auto x_end = operation.columns.end(column, out.width);
        float sum = 0;
        for (auto y = operation.rows.first(row); y < y_end; ++y) {
          for (auto x = operation.columns.first(column); x < x_end; ++x) {
            const auto at = first + y * out.width + x;
            if (operation.kind == PoolKind::kAverage) {
              sum += dy.data[at] * share;
            } else if (positions[at] == operation.position(y, x, row, column)) {
              sum += dy.data[at];
            }
          }
        }
        plane[row * operation.in.width + column] = sum;
      }
    }
  });
}

}  // namespace warpfit::cpu
