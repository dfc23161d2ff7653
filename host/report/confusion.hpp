// The confusion matrix and the usual scores derived from it, as scikit-learn's classification_report computes
// them with zero_division=0.
#pragma once

#include <cstdint>
#include <vector>

namespace warpfit {

/// Scores from 0 to 1. A score whose denominator is 0 is 0: the precision of a class that was never
/// predicted, the recall of a class without samples.
struct ClassScores {
  double precision = 0;  ///< fraction of correct predictions among the samples predicted as the class
  double recall = 0;     ///< fraction of correct predictions among the samples of the class
  double f1 = 0;         ///< harmonic mean of both
};

class Confusion {
 public:
  /// With the matrix for at most 1000 classes: more could not be read, and it needs memory for their square.
  explicit Confusion(std::int64_t classes);

  void add(std::int64_t label, std::int64_t predicted);

  [[nodiscard]] std::int64_t classes() const { return classes_; }
  [[nodiscard]] bool has_matrix() const { return !counts_.empty(); }
  /// Of the matrix, which must be there.
  [[nodiscard]] std::int64_t count(std::int64_t label, std::int64_t predicted) const {
    return counts_[static_cast<std::size_t>(label * classes_ + predicted)];
  }
  [[nodiscard]] std::int64_t samples() const;
  /// Number of samples whose class was predicted correctly.
  [[nodiscard]] std::int64_t correct() const;
  /// Number of samples of a class.
  [[nodiscard]] std::int64_t support(std::int64_t label) const;
  [[nodiscard]] ClassScores scores(std::int64_t label) const;
  /// The mean over all classes, including those without samples.
  [[nodiscard]] ClassScores macro_average() const;

 private:
  std::int64_t classes_;
  std::vector<std::int64_t> samples_, predicted_, correct_;  // of each class
  std::vector<std::int64_t> counts_;                         // (label, predicted); empty without the matrix
};

}  // namespace warpfit
