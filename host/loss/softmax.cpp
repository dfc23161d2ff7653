#include "host/loss/softmax.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace warpfit {
namespace {

// The differences between each logit and the largest one, exactly.
std::vector<double> below_largest(std::span<const float> logits) {
  const double largest = *std::ranges::max_element(logits);
  std::vector<double> result;
  for (const double logit : logits) result.push_back(logit - largest);
  return result;
}

}  // namespace

std::vector<double> softmax(std::span<const float> logits) {
  auto result = below_largest(logits);
  for (double& value : result) value = std::exp(value);
  const double sum = std::accumulate(result.begin(), result.end(), 0.0);
  for (double& value : result) value /= sum;
  return result;
}

// log(sum) is subtracted last: added to huge logits, it would be lost in rounding.
std::vector<double> log_softmax(std::span<const float> logits) {
  auto result = below_largest(logits);
  double sum = 0;
  for (const double value : result) sum += std::exp(value);
  for (double& value : result) value -= std::log(sum);
  return result;
}

}  // namespace warpfit
