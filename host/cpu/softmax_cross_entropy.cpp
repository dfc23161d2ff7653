// loss = log(sum_c exp(z_c - m)) + m - z_label with m = max z, in fp32 like PyTorch's log_softmax.
#include "host/cpu/softmax_cross_entropy.hpp"

#include <algorithm>
#include <cmath>

#include "host/cpu/batch_loss.hpp"
#include "host/cpu/exponential.hpp"

namespace warpfit::cpu {

void softmax_cross_entropy(ThreadPool& pool, ConstMatrix logits, ConstLabels labels, const Loss& loss,
                           Matrix dlogits, Vector row_losses, Metrics& metrics, double divisor) {
  const std::int64_t classes = logits.cols;
  const float label_smoothing = loss.label_smoothing;
  const float spread = label_smoothing / static_cast<float>(classes);
  const float at_label = 1 - label_smoothing;
  const float* weights = loss.class_weights.empty() ? nullptr : loss.class_weights.data();
  if (divisor == 0 && weights == nullptr) divisor = static_cast<double>(logits.rows);
  if (divisor == 0) {
    for (const auto label : labels) divisor += weights[label];
  }
  float all_weights = 0;
  for (const float weight : loss.class_weights) all_weights += weight;
  const float scale = 1.0F / static_cast<float>(divisor);
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
    if (weights != nullptr) {
      const float weight = at_label * weights[label];
      float value = weight * (log_sum - (z[label] - highest));
      const float of_softmax = (weight + spread * all_weights) * scale;
      for (std::int64_t c = 0; c < classes; ++c) {
        const float smoothed = spread * weights[c];
        if (smoothed != 0) value += smoothed * (log_sum - (z[c] - highest));
        if (dz != nullptr) dz[c] = exponential(z[c] - highest - log_sum) * of_softmax - smoothed * scale;
      }
      if (dz != nullptr) dz[label] -= weight * scale;
      return {value, best == label};
    }
    if (dz != nullptr) {
#pragma omp simd
      for (std::int64_t c = 0; c < classes; ++c) {
        dz[c] = exponential(z[c] - highest - log_sum) * scale - spread * scale;
      }
      dz[label] -= at_label * scale;
    }
    float value = log_sum - (z[label] - highest);
    if (label_smoothing > 0) {
      float others = 0;
      for (std::int64_t c = 0; c < classes; ++c) others += log_sum - (z[c] - highest);
      value = (1 - label_smoothing) * value + spread * others;
    }
    return {value, best == label};
  };
  add_rows(pool, logits, labels, dlogits, divisor, row_losses, metrics, row);
}

}  // namespace warpfit::cpu
