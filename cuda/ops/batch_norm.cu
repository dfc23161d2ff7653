// Each block sums the values of its channels, once for the mean and once for the variance, and normalizes
// them; the second and third passes read them from the cache. A block has 32 adjacent channels of vectors, or
// one channel of images. Deterministic: no atomics are used.
#include "cuda/device/kernel.cuh"
#include "cuda/ops/batch_norm.hpp"
#include "cuda/runtime/launch.hpp"
#include "host/base/error.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kVectorChannels = 32;  // per block

struct Values {
  std::int64_t rows, channels, plane;

  // Offset of value `i` of a channel's rows * plane values. The count fits into 32 bits; 32-bit division is
  // faster.
  __device__ std::int64_t offset(std::int64_t channel, std::uint32_t i) const {
    if (plane == 1) return i * channels + channel;
    const auto size = static_cast<std::uint32_t>(plane);
    const std::uint32_t row = i / size;
    return (row * channels + channel) * plane + (i - row * size);
  }
  __device__ std::uint32_t count() const { return static_cast<std::uint32_t>(rows * plane); }
};

// Sums the values of all threads with the same channel; each of them gets the sum. Must be called by all
// threads.
template <int kChannels>
__device__ float channel_sum(float value) {
  SHARED_ARRAY(float, partial, kThreads);
  __syncthreads();  // the reads of the previous call are done
  partial[threadIdx.x] = value;
  __syncthreads();
  for (unsigned threads = kThreads / 2; threads >= kChannels; threads /= 2) {
    if (threadIdx.x < threads) partial[threadIdx.x] += partial[threadIdx.x + threads];
    __syncthreads();
  }
  return partial[threadIdx.x % kChannels];
}

struct ForwardArguments {
  Values values;
  const float *x, *weight, *bias;
  float *running_mean, *running_variance;
  std::int32_t* batches;
  float *mean, *inverse_deviation;
  float* y;
  float eps;
  double momentum;
  bool relu;
};

template <int kChannels>
__global__ void __launch_bounds__(kThreads) batch_norm_forward_kernel(ForwardArguments arguments) {
  const auto& values = arguments.values;
  const std::int64_t channel = std::int64_t{blockIdx.x} * kChannels + threadIdx.x % kChannels;
  const std::uint32_t first = threadIdx.x / kChannels;
  constexpr std::uint32_t kStride = kThreads / kChannels;
  const std::uint32_t count = channel < values.channels ? values.count() : 0;
  const auto n = static_cast<float>(values.count());

  float sum = 0;
  for (std::uint32_t i = first; i < count; i += kStride) sum += arguments.x[values.offset(channel, i)];
  const float mean = channel_sum<kChannels>(sum) / n;
  float squares = 0;
  for (std::uint32_t i = first; i < count; i += kStride) {
    const float distance = arguments.x[values.offset(channel, i)] - mean;
    squares += distance * distance;
  }
  squares = channel_sum<kChannels>(squares);
  if (channel >= values.channels) return;

  const float inverse = 1 / sqrtf(squares / n + arguments.eps);
  const float factor = inverse * arguments.weight[channel];
  const float constant = arguments.bias[channel] - mean * factor;
  for (std::uint32_t i = first; i < count; i += kStride) {
    const std::int64_t at = values.offset(channel, i);
    const float value = arguments.x[at] * factor + constant;
    arguments.y[at] = arguments.relu && value < 0 ? 0.0F : value;
  }
  if (first != 0) return;
  const auto move = [&](float& running, float value) {
    running = static_cast<float>(arguments.momentum * value + (1 - arguments.momentum) * running);
  };
  move(arguments.running_mean[channel], mean);
  move(arguments.running_variance[channel], squares / (n - 1));
  arguments.mean[channel] = mean;
  arguments.inverse_deviation[channel] = inverse;
  if (channel == 0 && *arguments.batches < kMaxBatchCount) ++*arguments.batches;
}

__global__ void __launch_bounds__(kThreads)
    batch_norm_evaluate_kernel(Values values, const float* __restrict__ x, const float* weight,
                               const float* bias, const float* mean, const float* variance, float eps,
                               bool relu, float* y, std::int64_t size) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < size; i += stride) {
    const std::int64_t channel = i / values.plane % values.channels;
    const float factor = weight[channel] / sqrtf(variance[channel] + eps);
    const float value = x[i] * factor + (bias[channel] - mean[channel] * factor);
    y[i] = relu && value < 0 ? 0.0F : value;
  }
}

struct BackwardArguments {
  Values values;
  const float *x, *dy, *weight, *mean, *inverse_deviation;
  float *dweight, *dbias;
  float* dx;  // null if it is not needed
};

// dx = weight / deviation * (dy - mean(dy) - normalized x * mean(dy * normalized x))
template <int kChannels>
__global__ void __launch_bounds__(kThreads) batch_norm_backward_kernel(BackwardArguments arguments) {
  const auto& values = arguments.values;
  const std::int64_t channel = std::int64_t{blockIdx.x} * kChannels + threadIdx.x % kChannels;
  const std::uint32_t first = threadIdx.x / kChannels;
  constexpr std::uint32_t kStride = kThreads / kChannels;
  const bool is_channel = channel < values.channels;
  const std::uint32_t count = is_channel ? values.count() : 0;
  const float mean = is_channel ? arguments.mean[channel] : 0;

  float sum = 0;
  float products = 0;
  for (std::uint32_t i = first; i < count; i += kStride) {
    const std::int64_t at = values.offset(channel, i);
    sum += arguments.dy[at];
    products += (arguments.x[at] - mean) * arguments.dy[at];
  }
  sum = channel_sum<kChannels>(sum);
  products = channel_sum<kChannels>(products);
  if (!is_channel) return;

  const float inverse = arguments.inverse_deviation[channel];
  if (first == 0) {
    arguments.dbias[channel] = sum;
    arguments.dweight[channel] = products * inverse;
  }
  if (arguments.dx == nullptr) return;
  const auto n = static_cast<float>(values.count());
  const float factor = arguments.weight[channel] * inverse;
  const float slope = products * inverse * inverse / n;
  const float shift = sum / n;
  for (std::uint32_t i = first; i < count; i += kStride) {
    const std::int64_t at = values.offset(channel, i);
    arguments.dx[at] = factor * (arguments.dy[at] - shift - (arguments.x[at] - mean) * slope);
  }
}

// Errors: DeviceError if a channel has more than 2^31 values in a batch.
template <class Arguments>
void launch_by_channels(void (*of_vectors)(Arguments), void (*of_images)(Arguments),
                        const Arguments& arguments, cudaStream_t stream) {
  const auto& values = arguments.values;
  constexpr std::int64_t kMaxValues = std::int64_t{1} << 31;  // adding a stride does not overflow
  if (values.rows * values.plane > kMaxValues)
    throw DeviceError("batch normalization: more than 2^31 values of a channel in a batch");
  const bool are_vectors = values.plane == 1;
  const auto channels = are_vectors ? kVectorChannels : 1;
  const auto blocks = static_cast<unsigned>((values.channels + channels - 1) / channels);
  launch(are_vectors ? of_vectors : of_images, {blocks, kThreads}, stream, arguments);
}

bool has_relu(const BatchNormOperation& operation) { return operation.activation == ActivationKind::kRelu; }

}  // namespace

void batch_norm_forward(const BatchNormOperation& operation, ConstMatrix x, std::span<const Vector> tensors,
                        std::span<const Vector> state, const BatchNormStatistics& batch, Matrix y,
                        cudaStream_t stream) {
  const ForwardArguments arguments{.values = {x.rows, operation.channels, operation.plane},
                                   .x = x.data,
                                   .weight = tensors[0].data(),
                                   .bias = tensors[1].data(),
                                   .running_mean = state[0].data(),
                                   .running_variance = state[1].data(),
                                   .batches = reinterpret_cast<std::int32_t*>(state[2].data()),
                                   .mean = batch.mean.data(),
                                   .inverse_deviation = batch.inverse_deviation.data(),
                                   .y = y.data,
                                   .eps = static_cast<float>(operation.eps),
                                   .momentum = operation.momentum,
                                   .relu = has_relu(operation)};
  launch_by_channels(batch_norm_forward_kernel<kVectorChannels>, batch_norm_forward_kernel<1>, arguments,
                     stream);
}

void batch_norm_evaluate(const BatchNormOperation& operation, ConstMatrix x, std::span<const Vector> tensors,
                         std::span<const Vector> state, Matrix y, cudaStream_t stream) {
  launch_along(batch_norm_evaluate_kernel, x.size(), kThreads, stream,
               Values{x.rows, operation.channels, operation.plane}, x.data, tensors[0].data(),
               tensors[1].data(), state[0].data(), state[1].data(), static_cast<float>(operation.eps),
               has_relu(operation), y.data, x.size());
}

void batch_norm_backward(const BatchNormOperation& operation, ConstMatrix x, ConstMatrix dy,
                         ConstVector weight, const BatchNormStatistics& batch, Vector dweight, Vector dbias,
                         Matrix dx, cudaStream_t stream) {
  const BackwardArguments arguments{.values = {x.rows, operation.channels, operation.plane},
                                    .x = x.data,
                                    .dy = dy.data,
                                    .weight = weight.data(),
                                    .mean = batch.mean.data(),
                                    .inverse_deviation = batch.inverse_deviation.data(),
                                    .dweight = dweight.data(),
                                    .dbias = dbias.data(),
                                    .dx = dx.data};
  launch_by_channels(batch_norm_backward_kernel<kVectorChannels>, batch_norm_backward_kernel<1>, arguments,
                     stream);
}

}  // namespace warpfit::cuda
