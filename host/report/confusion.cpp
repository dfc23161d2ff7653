#include "host/report/confusion.hpp"

#include <numeric>

namespace warpfit {
namespace {

constexpr std::int64_t kMaxMatrixClasses = 1000;

std::int64_t sum(const std::vector<std::int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Confusion::Confusion(std::int64_t classes)
    : classes_(classes),
      samples_(static_cast<std::size_t>(classes)),
      predicted_(samples_),
      correct_(samples_),
      counts_(static_cast<std::size_t>(classes <= kMaxMatrixClasses ? classes * classes : 0)) {}

void Confusion::add(std::int64_t label, std::int64_t predicted) {
  ++samples_[static_cast<std::size_t>(label)];
  ++predicted_[static_cast<std::size_t>(predicted)];
  if (label == predicted) ++correct_[static_cast<std::size_t>(label)];
  if (has_matrix()) ++counts_[static_cast<std::size_t>(label * classes_ + predicted)];
}

std::int64_t Confusion::samples() const { return sum(samples_); }

std::int64_t Confusion::correct() const { return sum(correct_); }

std::int64_t Confusion::support(std::int64_t label) const {
  return samples_[static_cast<std::size_t>(label)];
}

ClassScores Confusion::scores(std::int64_t label) const {
  const auto c = static_cast<std::size_t>(label);
  return {share(correct_[c], predicted_[c]), share(correct_[c], samples_[c]),
          share(2 * correct_[c], predicted_[c] + samples_[c])};
}

ClassScores Confusion::macro_average() const {
  ClassScores mean;
  for (std::int64_t c = 0; c < classes_; ++c) {
    const auto of_class = scores(c);
    mean.precision += of_class.precision;
    mean.recall += of_class.recall;
    mean.f1 += of_class.f1;
  }
  const auto classes = static_cast<double>(classes_);
  return {mean.precision / classes, mean.recall / classes, mean.f1 / classes};
}

}  // namespace warpfit
