// loss = log(sum_c exp(z_c - m)) + m - z_label with m = max z, in fp32 as PyTorch's log_softmax; rows are
// added in order, in double, so that the mean does not depend on the number of threads.
#include "host/cpu/softmax_cross_entropy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace warpfit::cpu {
namespace {

struct RowResult {
  float loss;
  bool hit;
};

RowResult row_loss(const float* z, std::int64_t classes, std::int64_t label, float scale, float* dz) {
  const std::int64_t best = std::max_element(z, z + classes) - z;
  const float highest = z[best];
  float sum = 0;
  for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(z[c] - highest);
  if (dz != nullptr) {
    const float log_sum = std::log(sum);
    for (std::int64_t c = 0; c < classes; ++c) dz[c] = std::exp(z[c] - highest - log_sum) * scale;
    dz[label] -= scale;
  }
  return {std::log(sum) - (z[label] - highest), best == label};
}

}  // namespace

void softmax_cross_entropy(ConstMatrix logits, ConstLabels labels, Matrix dlogits, Vector row_losses,
                           Metrics& metrics) {
  const std::int64_t classes = logits.cols;
  const float scale = 1.0F / static_cast<float>(logits.rows);
  std::int64_t hits = 0;
#pragma omp parallel for reduction(+ : hits) if (logits.size() > 4096)
  for (std::int64_t row = 0; row < logits.rows; ++row) {
    float* gradient = dlogits.empty() ? nullptr : dlogits.data + row * classes;
    const auto [loss, hit] = row_loss(logits.data + row * classes, classes, labels[row], scale, gradient);
    row_losses[row] = loss;
    hits += hit ? 1 : 0;
  }
  double sum = 0;
  for (std::int64_t row = 0; row < logits.rows; ++row) sum += row_losses[row];
  const auto mean = static_cast<float>(sum / static_cast<double>(logits.rows));

  if (!std::isfinite(mean)) {
    if (metrics.non_finite == 0) metrics.first_non_finite = metrics.batches;
    ++metrics.non_finite;
  }
  metrics.loss_sum += mean;
  metrics.last_loss = mean;
  metrics.correct += hits;
  ++metrics.batches;
}

}  // namespace warpfit::cpu
