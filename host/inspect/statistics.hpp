// Summary statistics of numbers.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

namespace warpfit {

/// Accumulates floats in pieces; NaNs and infinities are counted, but otherwise excluded.
class Statistics {
 public:
  template <class T>
  void add(std::span<const T> values) {
    for (const T value : values) {
      if (std::isfinite(value)) {
        min_ = value < min_ ? value : min_;
        max_ = value > max_ ? value : max_;
        sum_ += value;
        ++finite_;
      } else {
        ++(std::isnan(value) ? nans_ : infinities_);
      }
    }
  }

  [[nodiscard]] std::int64_t finite() const { return finite_; }
  [[nodiscard]] std::int64_t nans() const { return nans_; }
  [[nodiscard]] std::int64_t infinities() const { return infinities_; }
  /// The following three functions use the finite numbers; there must be at least one.
  [[nodiscard]] double min() const { return min_; }
  [[nodiscard]] double max() const { return max_; }
  [[nodiscard]] double mean() const { return static_cast<double>(sum_ / static_cast<long double>(finite_)); }

 private:
  double min_ = std::numeric_limits<double>::infinity(), max_ = -min_;
  long double sum_ = 0;  // the sum of large doubles may exceed the range of a double
  std::int64_t finite_ = 0, nans_ = 0, infinities_ = 0;
};

}  // namespace warpfit
