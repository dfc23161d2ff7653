#include "host/cpu/batch_norm.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "host/cpu/simd.hpp"

namespace warpfit::cpu {
namespace {

constexpr std::int64_t kBlock = 64;    // channels of vectors that are worked on together
constexpr std::int64_t kSumLanes = 8;  // sums of one channel of images, which are added at its end

// A block of channels of a batch. Those of vectors lie next to each other; of images a block is one channel.
struct Channels {
  std::int64_t rows, channels, plane;
  std::int64_t first, count;

  // visit(index, channel of the block, lane) for each of their values, row by row.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t start = (row * channels + first) * plane;
      if (plane == 1) {
        for (std::int64_t i = 0; i < count; ++i) visit(start + i, i, 0);
        continue;
      }
      const std::int64_t whole = plane / kSumLanes * kSumLanes;
      for (std::int64_t at = 0; at < whole; at += kSumLanes) {
        for (std::int64_t lane = 0; lane < kSumLanes; ++lane) visit(start + at + lane, 0, lane);
      }
      for (std::int64_t at = whole; at < plane; ++at) visit(start + at, 0, at - whole);
    }
  }

  // The sum of term(index, channel of the block) over each channel's values.
  template <class Term>
  [[nodiscard]] std::array<double, kBlock> sums(Term term) const {
    std::array<double, kBlock> sum{};
    if (plane == 1) {
      for_each([&](std::int64_t index, std::int64_t i, std::int64_t) { sum[i] += term(index, i); });
      return sum;
    }
    std::array<double, kSumLanes> lanes{};
    for_each([&](std::int64_t index, std::int64_t, std::int64_t lane) { lanes[lane] += term(index, 0); });
    for (const double lane : lanes) sum[0] += lane;
    return sum;
  }

  [[nodiscard]] double values() const { return static_cast<double>(rows * plane); }
};

// work(channels) for blocks that make up all channels.
template <class Work>
void for_each_block(ThreadPool& pool, const BatchNormOperation& operation, std::int64_t rows,
                    const Work& work) {
  const std::int64_t size = operation.plane == 1 ? kBlock : 1;
  const std::int64_t blocks = (operation.channels + size - 1) / size;
  const std::int64_t values = rows * operation.plane * size;
  pool.split(blocks, std::max<std::int64_t>(1, kMinElements / values),
             [&](std::int64_t first, std::int64_t end) {
               for (auto block = first; block < end; ++block) {
                 const auto channel = block * size;
                 const Channels channels{rows, operation.channels, operation.plane, channel,
                                         std::min(size, operation.channels - channel)};
                 vectorized([&] { work(channels); });
               }
             });
}

// y = activation(x * factor + constant), both of each channel of the block.
void transform(const Channels& block, const BatchNormOperation& operation, const float* x,
               const std::array<float, kBlock>& factor, const std::array<float, kBlock>& constant, float* y) {
  const float least = operation.activation == ActivationKind::kRelu ? 0.0F : -INFINITY;
  block.for_each([&](std::int64_t index, std::int64_t i, std::int64_t) {
    const float value = x[index] * factor[i] + constant[i];
    y[index] = value < least ? least : value;  // NaN stays
  });
}

}  // namespace

void batch_norm_forward(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x,
                        std::span<const Vector> tensors, std::span<const Vector> state,
                        const BatchNormStatistics& batch, Matrix y) {
  const float *weight = tensors[0].data(), *bias = tensors[1].data();
  for_each_block(pool, operation, x.rows, [&](const Channels& block) {
    const double n = block.values();
    const double momentum = operation.momentum;
    auto mean = block.sums([&](std::int64_t index, std::int64_t) { return double{x.data[index]}; });
    for (auto& value : mean) value /= n;
    const auto squares = block.sums([&](std::int64_t index, std::int64_t i) {
      const double distance = x.data[index] - mean[i];
      return distance * distance;
    });
    std::array<float, kBlock> factor{}, constant{};
    for (std::int64_t i = 0; i < block.count; ++i) {
      const auto channel = block.first + i;
      const auto move = [&](float& running, double value) {
        running = static_cast<float>(momentum * value + (1 - momentum) * running);
      };
      move(state[0][channel], mean[i]);
      move(state[1][channel], squares[i] / (n - 1));
      batch.mean[channel] = static_cast<float>(mean[i]);
      batch.inverse_deviation[channel] = static_cast<float>(1 / std::sqrt(squares[i] / n + operation.eps));
      factor[i] = batch.inverse_deviation[channel] * weight[channel];
      constant[i] = bias[channel] - batch.mean[channel] * factor[i];
    }
    transform(block, operation, x.data, factor, constant, y.data);
  });
  auto& batches = state[2][0];
  batches = std::bit_cast<float>(std::min(std::bit_cast<std::int32_t>(batches) + 1, kMaxBatchCount));
}

void batch_norm_evaluate(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x,
                         std::span<const Vector> tensors, std::span<const Vector> state, Matrix y) {
  const float *weight = tensors[0].data(), *bias = tensors[1].data();
  const float *mean = state[0].data(), *variance = state[1].data();
  for_each_block(pool, operation, x.rows, [&](const Channels& block) {
    std::array<float, kBlock> factor{}, constant{};
    for (std::int64_t i = 0; i < block.count; ++i) {
      const auto channel = block.first + i;
      factor[i] = weight[channel] / std::sqrt(variance[channel] + static_cast<float>(operation.eps));
      constant[i] = bias[channel] - mean[channel] * factor[i];
    }
    transform(block, operation, x.data, factor, constant, y.data);
  });
}

void batch_norm_gradients(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x,
                          ConstMatrix dy, const BatchNormStatistics& batch, Vector dweight, Vector dbias) {
  for_each_block(pool, operation, x.rows, [&](const Channels& block) {
    const float* mean = batch.mean.data() + block.first;
    const auto sums = block.sums([&](std::int64_t index, std::int64_t) { return double{dy.data[index]}; });
    const auto products = block.sums([&](std::int64_t index, std::int64_t i) {
      return (double{x.data[index]} - mean[i]) * dy.data[index];
    });
    for (std::int64_t i = 0; i < block.count; ++i) {
      const auto channel = block.first + i;
      dweight[channel] = static_cast<float>(products[i] * batch.inverse_deviation[channel]);
      dbias[channel] = static_cast<float>(sums[i]);
    }
  });
}

// dx = weight / deviation * (dy - mean of dy - normalized x * mean of (dy * normalized x)).
void batch_norm_backward_input(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x,
                               ConstMatrix dy, ConstVector weight, const BatchNormStatistics& batch,
                               ConstVector dweight, ConstVector dbias, Matrix dx) {
  for_each_block(pool, operation, x.rows, [&](const Channels& block) {
    const auto n = static_cast<float>(block.values());
    std::array<float, kBlock> factor{}, slope{}, shift{};
    for (std::int64_t i = 0; i < block.count; ++i) {
      const auto channel = block.first + i;
      factor[i] = weight[channel] * batch.inverse_deviation[channel];
      slope[i] = dweight[channel] * batch.inverse_deviation[channel] / n;
      shift[i] = dbias[channel] / n;
    }
    const float* mean = batch.mean.data() + block.first;
    block.for_each([&](std::int64_t index, std::int64_t i, std::int64_t) {
      const float centred = x.data[index] - mean[i];
      dx.data[index] = factor[i] * (dy.data[index] - shift[i] - centred * slope[i]);
    });
  });
}

}  // namespace warpfit::cpu
