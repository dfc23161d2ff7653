#include "host/train/rank_metrics.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "host/parallel/agreement.hpp"

namespace warpfit {
namespace {

Metrics added(Communicator& communicator, const Metrics& own) {
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

}  // namespace

Metrics metrics_of_parts(Communicator& communicator, Metrics metrics, int parts) {
  metrics = added(communicator, metrics);
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

Metrics metrics_of_batches(Communicator& communicator, const Metrics& metrics) {
  return added(communicator, metrics);
}

std::vector<float> losses_of_parts(Communicator& communicator, const std::vector<float>& losses, int parts) {
  if (communicator.is_alone() && parts == 1) return losses;
  const auto each = static_cast<std::size_t>(parts);
  std::string message(losses.size() * sizeof(float), '\0');
  if (!losses.empty()) std::memcpy(message.data(), losses.data(), message.size());
  std::vector<double> sums(losses.size() / each);
  for (const auto& other : communicator.gather(message)) {
    if (other.size() != message.size()) throw CommunicationError("another rank has counted other batches");
    std::vector<float> parts_of_rank(losses.size());
    if (!losses.empty()) std::memcpy(parts_of_rank.data(), other.data(), other.size());
    for (std::size_t i = 0; i < parts_of_rank.size(); ++i) sums[i / each] += parts_of_rank[i];
  }
  return {sums.begin(), sums.end()};
}

}  // namespace warpfit
