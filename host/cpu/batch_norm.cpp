#include "host/cpu/batch_norm.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "host/cpu/simd.hpp"

namespace warpfit::cpu {
namespace {

constexpr std::int64_t kMaxParts = 16;
constexpr std::int64_t kMinLanes = 64;  // values that are processed together

// The values of a batch, one channel after the other in memory. They are divided into parts, of which a
// thread processes one at a time; results do not depend on the number of threads. A few channels are repeated
// until they fill a vector: value i of a part is in lane i % lanes, and that lane has channel lane %
// channels.
class Values {
 public:
  Values(std::int64_t channels, std::int64_t size)
      : channels_(channels),
        lanes_((std::max(kMinLanes / channels, std::int64_t{1})) * channels),
        rows_(size / channels),
        parts_(std::clamp<std::int64_t>(size / kMinElements, 1, std::min(kMaxParts, rows_))) {}

  [[nodiscard]] std::int64_t parts() const { return parts_; }
  [[nodiscard]] std::int64_t lanes() const { return lanes_; }
  [[nodiscard]] double per_channel() const { return static_cast<double>(rows_); }

  /// One value for each lane.
  template <class T>
  [[nodiscard]] std::vector<T> repeated(const T* of_channels) const {
    std::vector<T> values(static_cast<std::size_t>(lanes_));
    for (std::int64_t lane = 0; lane < lanes_; ++lane) values[lane] = of_channels[lane % channels_];
    return values;
  }

  /// visit(index, lane) for each value of a part.
  template <class Visit>
  void for_each(std::int64_t part, const Visit& visit) const {
    const auto first = rows_ * part / parts_ * channels_, end = rows_ * (part + 1) / parts_ * channels_;
    for (auto start = first; start < end; start += lanes_) {
      const auto count = std::min(lanes_, end - start);
      for (std::int64_t lane = 0; lane < count; ++lane) visit(start + lane, lane);
    }
  }

  /// visit(index, lane) for all values, by all threads.
  template <class Visit>
  void for_each(ThreadPool& pool, const Visit& visit) const {
    pool.split(parts_, 1, [&](std::int64_t first, std::int64_t end) {
      vectorized([&] {
        for (auto part = first; part < end; ++part) for_each(part, visit);
      });
    });
  }

  /// For each channel the sums of the two terms that add(index, lane, a, b) adds to a and b.
  template <class Add>
  [[nodiscard]] std::array<std::vector<double>, 2> sums(ThreadPool& pool, const Add& add) const {
    const auto size = static_cast<std::size_t>(parts_ * lanes_);
    std::vector<double> first_sums(size), second_sums(size);
    pool.split(parts_, 1, [&](std::int64_t first, std::int64_t end) {
      vectorized([&] {
        for (auto part = first; part < end; ++part) {
          double* a = first_sums.data() + part * lanes_;
          double* b = second_sums.data() + part * lanes_;
          for_each(part, [&](std::int64_t index, std::int64_t lane) { add(index, lane, a[lane], b[lane]); });
        }
      });
    });
    const auto of_channels = [&](const std::vector<double>& sums) {
      std::vector<double> result(static_cast<std::size_t>(channels_));
      for (std::size_t i = 0; i < size; ++i) result[i % result.size()] += sums[i];
      return result;
    };
    return {of_channels(first_sums), of_channels(second_sums)};
  }

 private:
  std::int64_t channels_, lanes_, rows_, parts_;
};

// y = activation(x * factor + constant), with a factor and a constant for each channel.
void transform(ThreadPool& pool, const Values& values, ActivationKind activation, const float* x,
               const std::vector<float>& of_channels, const std::vector<float>& constants, float* y) {
  const auto factors = values.repeated(of_channels.data());
  const auto shifts = values.repeated(constants.data());
  const float *factor = factors.data(), *constant = shifts.data();
  const float least = activation == ActivationKind::kRelu ? 0.0F : -INFINITY;
  values.for_each(pool, [=](std::int64_t index, std::int64_t lane) {
    const float value = x[index] * factor[lane] + constant[lane];
    y[index] = value < least ? least : value;  // NaN stays
  });
}

}  // namespace

// The sums are of distances to the first value of each channel, so that the variance, a difference of two
// sums, keeps its accuracy for values far from 0.
BatchNormMoments batch_norm_moments(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x) {
  const auto channels = static_cast<std::size_t>(operation.channels);
  BatchNormMoments moments{0, std::vector<double>(channels), std::vector<double>(channels)};
  if (x.rows == 0) return moments;
  const Values values(operation.channels, x.size());
  const auto origins = values.repeated(x.data);
  const float* origin = origins.data();
  const float* data = x.data;
  const auto [sums, squares] =
      values.sums(pool, [=](std::int64_t index, std::int64_t lane, double& sum, double& square) {
        const double distance = double{data[index]} - origin[lane];
        sum += distance;
        square += distance * distance;
      });
  moments.count = values.per_channel();
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const double shift = sums[channel] / moments.count;
    moments.means[channel] = data[channel] + shift;
    moments.squares[channel] = std::max(squares[channel] - shift * sums[channel], 0.0);
  }
  return moments;
}

void batch_norm_forward(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x,
                        const BatchNormMoments& moments, std::span<const Vector> tensors,
                        std::span<const Vector> state, const BatchNormStatistics& batch, Matrix y) {
  const double n = batch.count = moments.count;
  const auto channels = static_cast<std::size_t>(operation.channels);
  std::vector<float> factor(channels), constant(channels);
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const double mean = moments.means[channel], deviations = moments.squares[channel];
    const auto move = [&](float& running, double value) {
      running = static_cast<float>(operation.momentum * value + (1 - operation.momentum) * running);
    };
    move(state[0][channel], mean);
    move(state[1][channel], deviations / (n - 1));
    batch.mean[channel] = static_cast<float>(mean);
    batch.inverse_deviation[channel] = static_cast<float>(1 / std::sqrt(deviations / n + operation.eps));
    factor[channel] = batch.inverse_deviation[channel] * tensors[0][channel];
    constant[channel] = tensors[1][channel] - batch.mean[channel] * factor[channel];
  }
  auto& batches = state[2][0];
  batches = std::bit_cast<float>(std::min(std::bit_cast<std::int32_t>(batches) + 1, kMaxBatchCount));
  if (x.rows > 0)
    transform(pool, {operation.channels, x.size()}, operation.activation, x.data, factor, constant, y.data);
}

void batch_norm_evaluate(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x,
                         std::span<const Vector> tensors, std::span<const Vector> state, Matrix y) {
  const auto channels = static_cast<std::size_t>(operation.channels);
  std::vector<float> factor(channels), constant(channels);
  for (std::size_t channel = 0; channel < channels; ++channel) {
    factor[channel] = tensors[0][channel] / std::sqrt(state[1][channel] + static_cast<float>(operation.eps));
    constant[channel] = tensors[1][channel] - state[0][channel] * factor[channel];
  }
  transform(pool, {operation.channels, x.size()}, operation.activation, x.data, factor, constant, y.data);
}

void batch_norm_gradients(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x,
                          ConstMatrix dy, const BatchNormStatistics& batch, Vector dweight, Vector dbias) {
  if (x.rows == 0) {
    std::ranges::fill(dweight, 0.0F);
    std::ranges::fill(dbias, 0.0F);
    return;
  }
  const Values values(operation.channels, x.size());
  const auto means = values.repeated(batch.mean.data());
  const float *data = x.data, *gradient = dy.data, *mean = means.data();
  const auto [sums, products] =
      values.sums(pool, [=](std::int64_t index, std::int64_t lane, double& sum, double& product) {
        const double dy_value = gradient[index];
        sum += dy_value;
        product += (double{data[index]} - mean[lane]) * dy_value;
      });
  for (std::size_t channel = 0; channel < sums.size(); ++channel) {
    dweight[channel] = static_cast<float>(products[channel] * batch.inverse_deviation[channel]);
    dbias[channel] = static_cast<float>(sums[channel]);
  }
}

// dx = weight / deviation * (dy - mean of dy - normalized x * mean of (dy * normalized x)).
void batch_norm_backward_input(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x,
                               ConstMatrix dy, ConstVector weight, const BatchNormStatistics& batch,
                               ConstVector dweight, ConstVector dbias, Matrix dx) {
  if (x.rows == 0) return;
  const Values values(operation.channels, x.size());
  const auto n = static_cast<float>(batch.count);
  const auto channels = static_cast<std::size_t>(operation.channels);
  std::vector<float> factor(channels), slope(channels), shift(channels);
  for (std::size_t channel = 0; channel < channels; ++channel) {
    factor[channel] = weight[channel] * batch.inverse_deviation[channel];
    slope[channel] = dweight[channel] * batch.inverse_deviation[channel] / n;
    shift[channel] = dbias[channel] / n;
  }
  const auto factors = values.repeated(factor.data()), slopes = values.repeated(slope.data());
  const auto shifts = values.repeated(shift.data()), means = values.repeated(batch.mean.data());
  values.for_each(pool,
                  [in = x.data, gradient = dy.data, out = dx.data, f = factors.data(), s = slopes.data(),
                   c = shifts.data(), mean = means.data()](std::int64_t index, std::int64_t lane) {
                    out[index] = f[lane] * (gradient[index] - c[lane] - (in[index] - mean[lane]) * s[lane]);
                  });
}

}  // namespace warpfit::cpu
