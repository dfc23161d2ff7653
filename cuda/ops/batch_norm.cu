// The values of a batch form a matrix with a column for each channel. It is divided into chunks of rows: a
// first kernel computes statistics of each chunk, a second one combines them, in a fixed order, and computes
// the result. If there is only one chunk, the second kernel does it all. Deterministic: no atomics are used.
#include "cuda/device/kernel.cuh"
#include "cuda/ops/batch_norm.hpp"
#include "cuda/ops/batch_norm_chunks.cuh"
#include "cuda/ops/batch_norm_moments.cuh"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

__global__ void __launch_bounds__(kThreads)
    batch_norm_moments_kernel(Values values, const float* __restrict__ x, Partial partial) {
  const auto [mean, squares] = moments_of_chunk(values, x);
  partial.store(values, mean, squares);
}

__global__ void __launch_bounds__(kThreads)
    batch_norm_rank_moments_kernel(Values values, const float* __restrict__ x, Partial partial,
                                   RankSlots slots) {
  const auto moments = moments_of_batch(values, x, partial);
  if (values.channel() < values.channels && values.index() == 0) store_moments(slots, values, moments);
}

// y = activation(x * factor + constant)
struct Transform {
  float factor, constant;
  bool relu;

  __device__ Transform(float mean, float inverse_deviation, float weight, float bias, bool has_relu)
      : factor(inverse_deviation * weight), constant(bias - mean * factor), relu(has_relu) {}
  __device__ float operator()(float x) const {
    const float value = x * factor + constant;
    return relu && value < 0 ? 0.0F : value;  // NaN remains
  }
};

struct ForwardArguments {
  Values values;
  const float *x, *weight, *bias;
  Partial partial;
  float *running_mean, *running_variance;
  std::int32_t* batches;
  RankSlots slots;
  float *mean, *inverse_deviation, *count;
  float* y;
  float eps;
  double momentum;
  bool relu;
};

// If synchronized, the moments are those of the slots. (A branch at run time would cost the other kernel
// registers.)
template <bool kSynchronized>
__global__ void __launch_bounds__(kThreads) batch_norm_forward_kernel(ForwardArguments arguments) {
  const auto& values = arguments.values;
  Moments moments{};
  if constexpr (!kSynchronized) moments = moments_of_batch(values, arguments.x, arguments.partial);
  const std::int64_t channel = values.channel();
  if (channel >= values.channels) return;
  auto n = static_cast<float>(values.rows);
  if constexpr (kSynchronized) moments = moments_of_ranks(arguments.slots, channel, values.channels, n);
  const auto [mean, squares] = moments;
  const float inverse = 1 / sqrtf(squares / n + arguments.eps);
  const Transform transform(mean, inverse, arguments.weight[channel], arguments.bias[channel],
                            arguments.relu);
  values.for_each([&](std::int64_t at) { arguments.y[at] = transform(arguments.x[at]); });
  if (blockIdx.y != 0 || values.index() != 0) return;
  const auto move = [&](float& running, float value) {
    running = static_cast<float>(arguments.momentum * value + (1 - arguments.momentum) * running);
  };
  move(arguments.running_mean[channel], mean);
  move(arguments.running_variance[channel], squares / (n - 1));
  arguments.mean[channel] = mean;
  arguments.inverse_deviation[channel] = inverse;
  if (kSynchronized && channel == 0) *arguments.count = n;
  if (channel == 0 && *arguments.batches < kMaxBatchCount) ++*arguments.batches;
}

__global__ void __launch_bounds__(kThreads)
    batch_norm_evaluate_kernel(Values values, const float* __restrict__ x, const float* weight,
                               const float* bias, const float* mean, const float* variance, float eps,
                               bool relu, float* y) {
  const std::int64_t channel = values.channel();
  if (channel >= values.channels) return;
  const Transform transform(mean[channel], 1 / sqrtf(variance[channel] + eps), weight[channel], bias[channel],
                            relu);
  values.for_each([&](std::int64_t at) { y[at] = transform(x[at]); });
}

// The sums of a channel's dy and of its dy * (x - mean).
struct Sums {
  float gradients, products;
};

__device__ Sums sums_of_chunk(const Values& values, const float* x, const float* dy, float mean) {
  Sums sums{};
  values.for_each([&](std::int64_t at) {
    sums.gradients += dy[at];
    sums.products += (x[at] - mean) * dy[at];
  });
  return {values.sum(sums.gradients), values.sum(sums.products)};
}

struct BackwardArguments {
  Values values;
  const float *x, *dy, *weight, *mean, *inverse_deviation, *count;
  Partial partial;
  float *dweight, *dbias;
  float* dx;  // null if it is not needed

  // Stores dx from the gradients of the channel's weight and bias, summed over the rows of the batch.
  // dx = weight / deviation * (dy - mean(dy) - normalized x * mean(dy * normalized x))
  __device__ void store_dx(float weight_gradient, float bias_gradient) const {
    const float average = mean_of_channel(), inverse = inverse_deviation[values.channel()];
    const float factor = weight[values.channel()] * inverse;
    const float slope = weight_gradient * inverse / *count;
    const float shift = bias_gradient / *count;
    values.for_each([&](std::int64_t at) { dx[at] = factor * (dy[at] - shift - (x[at] - average) * slope); });
  }
  __device__ float mean_of_channel() const {
    return values.channel() < values.channels ? mean[values.channel()] : 0;
  }
};

__global__ void __launch_bounds__(kThreads) batch_norm_sums_kernel(BackwardArguments arguments) {
  const auto [gradients, products] =
      sums_of_chunk(arguments.values, arguments.x, arguments.dy, arguments.mean_of_channel());
  arguments.partial.store(arguments.values, gradients, products);
}

__device__ Sums sums_of_batch(const BackwardArguments& arguments, float mean) {
  const auto& values = arguments.values;
  if (values.chunks == 1) return sums_of_chunk(values, arguments.x, arguments.dy, mean);
  const auto& partial = arguments.partial;
  return {values.sum_of_chunks([&](unsigned, std::int64_t at) { return partial.first[at]; }),
          values.sum_of_chunks([&](unsigned, std::int64_t at) { return partial.second[at]; })};
}

__global__ void __launch_bounds__(kThreads) batch_norm_backward_kernel(BackwardArguments arguments) {
  const auto& values = arguments.values;
  const float mean = arguments.mean_of_channel();
  const auto [gradients, products] = sums_of_batch(arguments, mean);
  const std::int64_t channel = values.channel();
  if (channel >= values.channels) return;
  const float dweight = products * arguments.inverse_deviation[channel];
  if (blockIdx.y == 0 && values.index() == 0) {
    arguments.dbias[channel] = gradients;
    arguments.dweight[channel] = dweight;
  }
  if (arguments.dx != nullptr) arguments.store_dx(dweight, gradients);
}

__global__ void __launch_bounds__(kThreads) batch_norm_input_gradient_kernel(BackwardArguments arguments) {
  const std::int64_t channel = arguments.values.channel();
  if (channel < arguments.values.channels)
    arguments.store_dx(arguments.dweight[channel], arguments.dbias[channel]);
}

Values values_of(const BatchNormOperation& operation, ConstMatrix x) {
  return {x.rows * operation.pixels, operation.channels};
}

LaunchShape shape_of(const Values& values) {
  return {{static_cast<unsigned>(values.tiles()), values.chunks}, kThreads};
}

// Of kernels that compute statistics of the batch only.
LaunchShape shape_of_statistics(const Values& values) {
  return {{static_cast<unsigned>(values.tiles())}, kThreads};
}

Partial partial_of(const Values& values, Vector scratch) {
  if (values.chunks == 1) return {};
  return {scratch.data(), scratch.data() + values.chunks * values.channels};
}

// Without partial sums.
BackwardArguments backward_arguments(const Values& values, ConstMatrix x, ConstMatrix dy, ConstVector weight,
                                     const BatchNormStatistics& batch, Vector dweight, Vector dbias,
                                     Matrix dx) {
  return {.values = values,
          .x = x.data,
          .dy = dy.data,
          .weight = weight.data(),
          .mean = batch.mean.data(),
          .inverse_deviation = batch.inverse_deviation.data(),
          .count = batch.count.data(),
          .partial = {},
          .dweight = dweight.data(),
          .dbias = dbias.data(),
          .dx = dx.data};
}

}  // namespace

std::int64_t batch_norm_scratch(const BatchNormOperation& operation, std::int64_t rows) {
  const Values values(rows * operation.pixels, operation.channels);
  return values.chunks > 1 ? 2 * values.chunks * values.channels : 0;
}

void batch_norm_rank_moments(const BatchNormOperation& operation, ConstMatrix x, Vector scratch,
                             const RankSlots& slots, cudaStream_t stream) {
  const auto values = values_of(operation, x);
  const auto partial = partial_of(values, scratch);
  if (values.chunks > 1) launch(batch_norm_moments_kernel, shape_of(values), stream, values, x.data, partial);
  launch(batch_norm_rank_moments_kernel, shape_of_statistics(values), stream, values, x.data, partial, slots);
}

void batch_norm_forward(const BatchNormOperation& operation, ConstMatrix x, std::span<const Vector> tensors,
                        std::span<const Vector> state, const BatchNormStatistics& batch, Vector scratch,
                        const RankSlots& slots, Matrix y, cudaStream_t stream) {
  const auto values = values_of(operation, x);
  const ForwardArguments arguments{.values = values,
                                   .x = x.data,
                                   .weight = tensors[0].data(),
                                   .bias = tensors[1].data(),
                                   .partial = partial_of(values, scratch),
                                   .running_mean = state[0].data(),
                                   .running_variance = state[1].data(),
                                   .batches = reinterpret_cast<std::int32_t*>(state[2].data()),
                                   .slots = slots,
                                   .mean = batch.mean.data(),
                                   .inverse_deviation = batch.inverse_deviation.data(),
                                   .count = batch.count.data(),
                                   .y = y.data,
                                   .eps = static_cast<float>(operation.eps),
                                   .momentum = operation.momentum,
                                   .relu = operation.activation == ActivationKind::kRelu};
  if (slots.values != nullptr) {
    launch(batch_norm_forward_kernel<true>, shape_of(values), stream, arguments);
    return;
  }
  if (values.chunks > 1)
    launch(batch_norm_moments_kernel, shape_of(values), stream, values, x.data, arguments.partial);
  launch(batch_norm_forward_kernel<false>, shape_of(values), stream, arguments);
}

void batch_norm_evaluate(const BatchNormOperation& operation, ConstMatrix x, std::span<const Vector> tensors,
                         std::span<const Vector> state, Matrix y, cudaStream_t stream) {
  const auto values = values_of(operation, x);
  launch(batch_norm_evaluate_kernel, shape_of(values), stream, values, x.data, tensors[0].data(),
         tensors[1].data(), state[0].data(), state[1].data(), static_cast<float>(operation.eps),
         operation.activation == ActivationKind::kRelu, y.data);
}

void batch_norm_backward(const BatchNormOperation& operation, ConstMatrix x, ConstMatrix dy,
                         ConstVector weight, const BatchNormStatistics& batch, Vector scratch, Vector dweight,
                         Vector dbias, Matrix dx, cudaStream_t stream) {
  const auto values = values_of(operation, x);
  auto arguments = backward_arguments(values, x, dy, weight, batch, dweight, dbias, dx);
  arguments.partial = partial_of(values, scratch);
  if (values.chunks > 1) launch(batch_norm_sums_kernel, shape_of(values), stream, arguments);
  launch(batch_norm_backward_kernel, dx.empty() ? shape_of_statistics(values) : shape_of(values), stream,
         arguments);
}

void batch_norm_backward_input(const BatchNormOperation& operation, ConstMatrix x, ConstMatrix dy,
                               ConstVector weight, const BatchNormStatistics& batch, Vector dweight,
                               Vector dbias, Matrix dx, cudaStream_t stream) {
  const auto values = values_of(operation, x);
  launch(batch_norm_input_gradient_kernel, shape_of(values), stream,
         backward_arguments(values, x, dy, weight, batch, dweight, dbias, dx));
}

}  // namespace warpfit::cuda
