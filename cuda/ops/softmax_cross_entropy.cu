// loss = log(sum_c exp(z_c - m)) - (z_label - m) with m = max z, in fp32 as PyTorch's log_softmax; a block a
// row, a warp where the classes are few. The last block adds the rows up in double, each thread its share in
// order, then a fixed tree: no float atomics, the same bits each time.
#include "cuda/device/kernel.cuh"
#include "cuda/device/reduce.cuh"
#include "cuda/ops/softmax_cross_entropy.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

struct Highest {
  float value;
  int index;
};

// The higher value; of equals the first.
__device__ Highest higher(Highest a, Highest b) {
  return b.value > a.value || (b.value == a.value && b.index < a.index) ? b : a;
}

__device__ Highest warp_highest(Highest highest) {
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
    const Highest other{__shfl_xor_sync(kWholeWarp, highest.value, lanes),
                        __shfl_xor_sync(kWholeWarp, highest.index, lanes)};
    highest = higher(highest, other);
  }
  return highest;
}

template <int kThreads>
__device__ Highest block_highest(Highest highest) {
  highest = warp_highest(highest);
  if constexpr (kThreads > kWarp) {
    constexpr int kWarps = kThreads / kWarp;
    SHARED_ARRAY(Highest, partial, kWarps);
    if (threadIdx.x % kWarp == 0) partial[threadIdx.x / kWarp] = highest;
    __syncthreads();
    highest = partial[0];
    for (int warp = 1; warp < kWarps; ++warp) highest = higher(highest, partial[warp]);
  }
  return highest;
}

__device__ void add_batch(Metrics& metrics, double loss_sum, int hits, std::int64_t rows) {
  const auto mean = static_cast<float>(loss_sum / static_cast<double>(rows));
  if (!isfinite(mean)) {
    if (metrics.non_finite == 0) metrics.first_non_finite = metrics.batches;
    ++metrics.non_finite;
  }
  metrics.loss_sum += mean;
  metrics.last_loss = mean;
  metrics.correct += hits;
  ++metrics.batches;
}

template <int kThreads>
__global__ void __launch_bounds__(kThreads)
    softmax_cross_entropy_kernel(const float* __restrict__ logits, const std::uint8_t* __restrict__ labels,
                                 float* dlogits, RowResult* results, Metrics* metrics, unsigned* arrived,
                                 std::int64_t rows, int classes) {
  const auto add = [](auto a, auto b) { return a + b; };
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t row = blockIdx.x;
  const float* z = logits + row * classes;
  const int label = labels[row];

  Highest highest{-INFINITY, classes};
  for (int c = thread; c < classes; c += kThreads) highest = higher(highest, {z[c], c});
  highest = block_highest<kThreads>(highest);
  float sum = 0;
  for (int c = thread; c < classes; c += kThreads) sum += expf(z[c] - highest.value);
  sum = block_reduce<kThreads>(sum, add);
  const float log_sum = logf(sum);

  if (dlogits != nullptr) {
    const float scale = 1.0F / static_cast<float>(rows);
    for (int c = thread; c < classes; c += kThreads) {
      const float share = expf(z[c] - highest.value - log_sum) * scale;
      dlogits[row * classes + c] = c == label ? share - scale : share;
    }
  }
  if (thread == 0) results[row] = {log_sum - (z[label] - highest.value), highest.index == label ? 1 : 0};

  if (!is_last_block(arrived)) return;
  double loss_sum = 0;
  int hits = 0;
  for (std::int64_t i = thread; i < rows; i += kThreads) {
    loss_sum += results[i].loss;
    hits += results[i].hit;
  }
  loss_sum = block_reduce<kThreads>(loss_sum, add);
  hits = block_reduce<kThreads>(hits, add);
  if (thread == 0) add_batch(*metrics, loss_sum, hits, rows);
}

}  // namespace

void softmax_cross_entropy(ConstMatrix logits, ConstLabels labels, Matrix dlogits, Metrics* metrics,
                           RowResult* rows, unsigned* arrived, cudaStream_t stream) {
  constexpr int kFew = 32;
  constexpr int kMany = 256;
  constexpr std::int64_t kFewClasses = 128;  // up to four a lane
  const bool few = logits.cols <= kFewClasses;
  const auto kernel = few ? softmax_cross_entropy_kernel<kFew> : softmax_cross_entropy_kernel<kMany>;
  launch(kernel, {static_cast<unsigned>(logits.rows), few ? kFew : kMany}, stream, logits.data, labels.data(),
         dlogits.data, rows, metrics, arrived, logits.rows, static_cast<int>(logits.cols));
}

}  // namespace warpfit::cuda
