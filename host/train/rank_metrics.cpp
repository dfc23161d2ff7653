#include "host/train/rank_metrics.hpp"

#include <algorithm>
#include <span>

#include "host/parallel/agreement.hpp"

namespace warpfit {

Metrics metrics_of_batches(Communicator& communicator, const Metrics& own) {
  if (communicator.is_alone()) return own;
  Metrics sum;
  for (const auto& metrics : gather_values(communicator, own)) {
    sum.loss_sum += metrics.loss_sum;
    sum.last_loss += metrics.last_loss;
    sum.batches += metrics.batches;
    sum.correct += metrics.correct;
    if (metrics.non_finite == 0) continue;
    sum.first_non_finite = sum.non_finite == 0 ? metrics.first_non_finite
                                               : std::min(sum.first_non_finite, metrics.first_non_finite);
    sum.non_finite = std::max(sum.non_finite, metrics.non_finite);
  }
  return sum;
}

Metrics metrics_of_parts(Communicator& communicator, Metrics metrics, int parts) {
  metrics = metrics_of_batches(communicator, metrics);
  metrics.batches /= std::int64_t{parts} * communicator.size();
  if (metrics.non_finite > 0) metrics.first_non_finite /= parts;
  return metrics;
}

Metrics metrics_for_rank(const Communicator& communicator, Metrics metrics, int parts) {
  metrics.batches *= parts;
  if (communicator.rank() > 0) {
    metrics.loss_sum = 0;
    metrics.last_loss = 0;
    metrics.correct = 0;
  }
  return metrics;
}

std::vector<float> losses_of_parts(Communicator& communicator, const std::vector<float>& losses, int parts) {
  if (communicator.is_alone() && parts == 1) return losses;
  const auto each = static_cast<std::size_t>(parts);
  std::vector<double> sums(losses.size() / each);
  for (const auto& parts_of_rank : gather_vectors(communicator, std::span(losses))) {
    for (std::size_t i = 0; i < parts_of_rank.size(); ++i) sums[i / each] += parts_of_rank[i];
  }
  return {sums.begin(), sums.end()};
}

}  // namespace warpfit
