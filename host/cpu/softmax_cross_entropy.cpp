// loss = log(sum_c exp(z_c - m)) + m - z_label with m = max z, in fp32 as PyTorch's log_softmax.
#include "host/cpu/softmax_cross_entropy.hpp"

#include <algorithm>
#include <cmath>

#include "host/cpu/batch_loss.hpp"
#include "host/cpu/exponential.hpp"

namespace warpfit::cpu {

void softmax_cross_entropy(ThreadPool& pool, ConstMatrix logits, ConstLabels labels, float label_smoothing,
                           Matrix dlogits, Vector row_losses, Metrics& metrics) {
  const std::int64_t classes = logits.cols;
  const float scale = 1.0F / static_cast<float>(logits.rows);
  const float spread = label_smoothing / static_cast<float>(classes);
  const float at_label = 1 - label_smoothing;
  const auto row = [=](const float* z, std::int64_t label, float* dz) -> RowResult {
    const std::int64_t best = std::max_element(z, z + classes) - z;
    const float highest = z[best];
    float sum = 0;
    if (dz == nullptr) {
      for (std::int64_t c = 0; c < classes; ++c) sum += exponential(z[c] - highest);
    } else {
#pragma omp simd
      for (std::int64_t c = 0; c < classes; ++c) dz[c] = exponential(z[c] - highest);
      for (std::int64_t c = 0; c < classes; ++c) sum += dz[c];
    }
    const float log_sum = std::log(sum);
    if (dz != nullptr) {
#pragma omp simd
      for (std::int64_t c = 0; c < classes; ++c) {
        dz[c] = exponential(z[c] - highest - log_sum) * scale - spread * scale;
      }
      dz[label] -= at_label * scale;
    }
    float loss = log_sum - (z[label] - highest);
    if (label_smoothing > 0) {
      float others = 0;
      for (std::int64_t c = 0; c < classes; ++c) others += log_sum - (z[c] - highest);
      loss = (1 - label_smoothing) * loss + spread * others;
    }
    return {loss, best == label};
  };
  add_batch(pool, logits, labels, dlogits, logits.rows, row_losses, metrics, row);
}

}  // namespace warpfit::cpu
