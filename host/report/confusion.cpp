#include "host/report/confusion.hpp"

#include <numeric>

namespace warpfit {
namespace {

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Confusion::Confusion(std::int64_t classes)
    : classes_(classes), counts_(static_cast<std::size_t>(classes * classes)) {}

void Confusion::add(std::int64_t label, std::int64_t predicted) {
  ++counts_[static_cast<std::size_t>(label * classes_ + predicted)];
}

std::int64_t Confusion::samples() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
}

std::int64_t Confusion::correct() const {
  std::int64_t sum = 0;
  for (std::int64_t c = 0; c < classes_; ++c) sum += count(c, c);
  return sum;
}

std::int64_t Confusion::support(std::int64_t label) const {
  std::int64_t sum = 0;
  for (std::int64_t c = 0; c < classes_; ++c) sum += count(label, c);
  return sum;
}

ClassScores Confusion::scores(std::int64_t label) const {
  std::int64_t predicted = 0;
  for (std::int64_t c = 0; c < classes_; ++c) predicted += count(c, label);
  const std::int64_t right = count(label, label);
  return {share(right, predicted), share(right, support(label)),
          share(2 * right, predicted + support(label))};
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
