// The loss of a row = log(sum_c exp(z_c - m)) - (z_label - m) with m = max z, in fp32 like PyTorch's
// log_softmax.
#pragma once

#include "cuda/ops/batch_loss.cuh"

namespace warpfit::cuda {

/// The weights of the classes; if there are none, all weights are 1.
struct ClassWeights {
  const float* of = nullptr;
  float sum = 0;
};

/// Returns the loss of a row in every thread. dz, if it is not null, becomes the gradient of the sum over all
/// rows, times `scale`. Called by the first kThreads threads of the block: all of them, or a warp.
template <int kThreads, bool kWeighted = false>
__device__ RowResult softmax_cross_entropy_row(const float* z, int label, float label_smoothing, float scale,
                                               int classes, float* dz, const ClassWeights& weights = {}) {
  const auto add = [](auto a, auto b) { return a + b; };
  const int thread = static_cast<int>(threadIdx.x) % kThreads;  // so that the compiler knows its range
  Highest highest{-INFINITY, classes};
  for (int c = thread; c < classes; c += kThreads) highest = higher(highest, {z[c], c});
  highest = block_highest<kThreads>(highest);
  float sum = 0;
  for (int c = thread; c < classes; c += kThreads) sum += expf(z[c] - highest.value);
  sum = block_reduce<kThreads>(sum, add);
  const float log_sum = logf(sum);

  const float spread = label_smoothing / static_cast<float>(classes);
  if constexpr (kWeighted) {
    const float weight = (1 - label_smoothing) * weights.of[label];
    const float of_softmax = (weight + spread * weights.sum) * scale;
    float loss = 0;
    for (int c = thread; c < classes; c += kThreads) {
      const float smoothed = spread * weights.of[c];
      const float target = c == label ? weight + smoothed : smoothed;
      if (target != 0) loss += target * (log_sum - (z[c] - highest.value));
      if (dz != nullptr) dz[c] = expf(z[c] - highest.value - log_sum) * of_softmax - target * scale;
    }
    return {block_reduce<kThreads>(loss, add), highest.index == label ? 1 : 0};
  }
  if (dz != nullptr) {
    for (int c = thread; c < classes; c += kThreads) {
      const float share = expf(z[c] - highest.value - log_sum) * scale;
      const float target = c == label ? 1 - label_smoothing + spread : spread;
      dz[c] = share - target * scale;
    }
  }
  float loss = log_sum - (z[label] - highest.value);
  if (label_smoothing > 0) {
    float others = 0;  // sum_c -log softmax(z)_c
    for (int c = thread; c < classes; c += kThreads) others += log_sum - (z[c] - highest.value);
    others = block_reduce<kThreads>(others, add);
    loss = (1 - label_smoothing) * loss + spread * others;
  }
  return {loss, highest.index == label ? 1 : 0};
}

}  // namespace warpfit::cuda
