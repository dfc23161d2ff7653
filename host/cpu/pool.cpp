#include "host/cpu/pool.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "host/cpu/simd.hpp"

namespace warpfit::cpu {
namespace {

constexpr std::int64_t kVector = 16;  // floats

// Visits the values of a row of windows of one sample: all values at one position of their windows at a time,
// in row-major order of the positions. Result i of the row, which are next to each other in memory, is that
// of channel i % channels.
class WindowRow {
 public:
  explicit WindowRow(const PoolOperation& operation)
      : in_(operation.in), rows_(operation.rows), columns_(operation.columns) {
    if (in_.channels >= kVector) return;
    for (std::int64_t window = 0; window < operation.out().width; ++window) {
      for (std::int64_t c = 0; c < in_.channels; ++c)
        offsets_.push_back(static_cast<std::int32_t>(window * columns_.stride * in_.channels + c));
    }
    packed_.resize(offsets_.size() + kVector);
  }

  // visit(i, x[at], at) for row `row` of the windows of a sample x of `size` values.
  template <class Visit>
  void for_each_value(std::int64_t row, const float* x, std::int64_t size, const Visit& visit) {
    const auto channels = in_.channels;
    for_each_position(row, [&](std::int64_t first, std::int64_t end, std::int64_t start) {
      if (channels >= kVector) {
        for (auto window = first; window < end; ++window) {
          const auto at = start + window * columns_.stride * channels;
          for (std::int64_t c = 0; c < channels; ++c)
            visit(window * channels + c, x[at + c], static_cast<std::int32_t>(at + c));
        }
        return;
      }
      pack(first, end, start, x, size);
      const float* packed = packed_.data();
      const std::int32_t* offset = offsets_.data();
      const auto start_index = static_cast<std::int32_t>(start);
      for (auto i = first * channels; i < end * channels; ++i) visit(i, packed[i], start_index + offset[i]);
    });
  }

  // visit(i, at) likewise.
  template <class Visit>
  void for_each_index(std::int64_t row, const Visit& visit) const {
    for_each_position(row, [&](std::int64_t first, std::int64_t end, std::int64_t start) {
      for (auto window = first; window < end; ++window) {
        const auto at = start + window * columns_.stride * in_.channels;
        for (std::int64_t c = 0; c < in_.channels; ++c) visit(window * in_.channels + c, at + c);
      }
    });
  }

 private:
  // visit(first, end, start): windows first to end have this position within the image, at start + window *
  // stride * channels.
  template <class Visit>
  void for_each_position(std::int64_t row, const Visit& visit) const {
    const auto top = row * rows_.stride - rows_.padding;
    for (auto y = std::max<std::int64_t>(top, 0); y < std::min(top + rows_.size, in_.height); ++y) {
      for (std::int64_t column = 0; column < columns_.size; ++column) {
        const auto shift = column - columns_.padding;
        if (shift >= in_.width) break;
        const auto first = shift < 0 ? (-shift + columns_.stride - 1) / columns_.stride : 0;
        const auto end = std::min((in_.width - 1 - shift) / columns_.stride + 1, columns_.count(in_.width));
        visit(first, end, (y * in_.width + shift) * in_.channels);
      }
    }
  }

  // Copies few channels of each window to where those of the next window follow them. A whole vector is
  // copied each time; the next copy overwrites what is too much.
  void pack(std::int64_t first, std::int64_t end, std::int64_t start, const float* x, std::int64_t size) {
    float* packed = packed_.data();
    for (auto window = first; window < end; ++window) {
      const auto at = start + window * columns_.stride * in_.channels;
      if (at + kVector <= size) {
        std::memcpy(packed + window * in_.channels, x + at, kVector * sizeof(float));
      } else {
        std::copy_n(x + at, in_.channels, packed + window * in_.channels);
      }
    }
  }

  Image in_;
  Windows rows_, columns_;
  // For few channels, with which a vector would not be filled: the distance of the first value of each
  // result's window from that of the row's first window, and values of the windows.
  std::vector<std::int32_t> offsets_;
  std::vector<float> packed_;
};

// Computes row `row` of the maxima of a sample, and the index of each in x.
void max_of_row(const PoolOperation& operation, WindowRow& windows, std::int64_t row, const float* x,
                std::int64_t results, float* __restrict__ y, std::int32_t* __restrict__ indices) {
  std::fill_n(y, results, -std::numeric_limits<float>::infinity());
  std::fill_n(indices, results, -1);
  windows.for_each_value(row, x, operation.in.size(), [=](std::int64_t i, float value, std::int32_t at) {
    // The first value is taken in any case, and NaN is propagated.
    const bool is_max = value > y[i] || value != value || indices[i] < 0;
    y[i] = is_max ? value : y[i];
    indices[i] = is_max ? at : indices[i];
  });
  if (operation.activation != ActivationKind::kRelu) return;
  for (std::int64_t i = 0; i < results; ++i) {
    indices[i] = y[i] > 0 ? indices[i] : -1;
    y[i] = y[i] < 0 ? 0 : y[i];
  }
}

void mean_of_row(const PoolOperation& operation, WindowRow& windows, std::int64_t row, const float* x,
                 std::int64_t results, float* __restrict__ y) {
  const auto values = static_cast<float>(operation.rows.size * operation.columns.size);
  std::fill_n(y, results, 0.0F);
  windows.for_each_value(row, x, operation.in.size(),
                         [=](std::int64_t i, float value, std::int32_t) { y[i] += value; });
  for (std::int64_t i = 0; i < results; ++i) y[i] /= values;
}

// work(first sample, end) for ranges of samples of `size` values each.
template <class Work>
void for_each_range(ThreadPool& pool, std::int64_t samples, std::int64_t size, const Work& work) {
  pool.split(samples, std::max<std::int64_t>(1, kMinElements / size),
             [&](std::int64_t first, std::int64_t end) { vectorized([&] { work(first, end); }); });
}

}  // namespace

void pool_forward(ThreadPool& pool, const PoolOperation& operation, ConstMatrix x, Matrix y,
                  std::span<std::int32_t> indices) {
  const auto out = operation.out();
  const auto results = out.width * out.channels;
  for_each_range(pool, x.rows, x.cols, [&](std::int64_t first, std::int64_t end) {
    WindowRow windows(operation);
    for (auto row = first * out.height; row < end * out.height; ++row) {
      const float* image = x.data + row / out.height * x.cols;
      if (operation.kind == PoolKind::kMax) {
        max_of_row(operation, windows, row % out.height, image, results, y.data + row * results,
                   indices.data() + row * results);
      } else {
        mean_of_row(operation, windows, row % out.height, image, results, y.data + row * results);
      }
    }
  });
}

void max_pool_backward(ThreadPool& pool, ConstMatrix dy, std::span<const std::int32_t> indices, Matrix dx) {
  for_each_range(pool, dy.rows, dx.cols, [&](std::int64_t first, std::int64_t end) {
    for (auto sample = first; sample < end; ++sample) {
      float* gradients = dx.data + sample * dx.cols;
      std::fill_n(gradients, dx.cols, 0.0F);
      for (auto i = sample * dy.cols; i < (sample + 1) * dy.cols; ++i) {
        const auto index =
            indices[static_cast<std::size_t>(i)];  // without a branch, which would be mispredicted
        gradients[std::max(index, 0)] += index < 0 ? 0.0F : dy.data[i];
      }
    }
  });
}

void avg_pool_backward(ThreadPool& pool, const PoolOperation& operation, ConstMatrix dy, Matrix dx) {
  const auto out = operation.out();
  const auto results = out.width * out.channels;
  const WindowRow windows(operation);
  const auto share = 1 / static_cast<float>(operation.rows.size * operation.columns.size);
  for_each_range(pool, dy.rows, dx.cols, [&](std::int64_t first, std::int64_t end) {
    for (auto sample = first; sample < end; ++sample) {
      float* gradients = dx.data + sample * dx.cols;
      std::fill_n(gradients, dx.cols, 0.0F);
      for (std::int64_t row = 0; row < out.height; ++row) {
        const float* of_row = dy.data + sample * dy.cols + row * results;
        windows.for_each_index(row,
                               [=](std::int64_t i, std::int64_t at) { gradients[at] += of_row[i] * share; });
      }
    }
  });
}

}  // namespace warpfit::cpu
