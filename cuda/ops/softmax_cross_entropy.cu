// loss = log(sum_c exp(z_c - m)) - (z_label - m) with m = max z, in fp32 as PyTorch's log_softmax; a block a
// row, a warp where the classes are few.
#include "cuda/ops/batch_loss.cuh"
#include "cuda/ops/softmax_cross_entropy.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

template <int kThreads>
__global__ void __launch_bounds__(kThreads)
    softmax_cross_entropy_kernel(const float* __restrict__ logits, const std::uint8_t* __restrict__ labels,
                                 float label_smoothing, float* dlogits, RowResult* results, Metrics* metrics,
                                 unsigned* arrived, std::int64_t rows, int classes) {
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

  const float spread = label_smoothing / static_cast<float>(classes);
  if (dlogits != nullptr) {
    const float scale = 1.0F / static_cast<float>(rows);
    for (int c = thread; c < classes; c += kThreads) {
      const float share = expf(z[c] - highest.value - log_sum) * scale;
      const float target = c == label ? 1 - label_smoothing + spread : spread;
      dlogits[row * classes + c] = share - target * scale;
    }
  }
  float others = 0;  // sum_c -log softmax(z)_c
  if (label_smoothing > 0) {
    for (int c = thread; c < classes; c += kThreads) others += log_sum - (z[c] - highest.value);
    others = block_reduce<kThreads>(others, add);
  }
  if (thread == 0) {
    float loss = log_sum - (z[label] - highest.value);
    if (label_smoothing > 0) loss = (1 - label_smoothing) * loss + spread * others;
    results[row] = {loss, highest.index == label ? 1 : 0};
  }

  add_up<kThreads>(results, rows, rows, metrics, arrived);
}

}  // namespace

void softmax_cross_entropy(ConstMatrix logits, ConstLabels labels, float label_smoothing, Matrix dlogits,
                           Metrics* metrics, RowResult* rows, unsigned* arrived, cudaStream_t stream) {
  const bool few = logits.cols <= kFewClasses;
  const auto kernel = few ? softmax_cross_entropy_kernel<kFew> : softmax_cross_entropy_kernel<kMany>;
  launch(kernel, {static_cast<unsigned>(logits.rows), few ? kFew : kMany}, stream, logits.data, labels.data(),
         label_smoothing, dlogits.data, rows, metrics, arrived, logits.rows, static_cast<int>(logits.cols));
}

}  // namespace warpfit::cuda
