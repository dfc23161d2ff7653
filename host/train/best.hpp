// The best epoch so far, by the criterion TrainOptions::best_by, and the state of early stopping.
#pragma once

#include <cstdint>

namespace warpfit {

struct Best {
  std::int64_t epoch = 0;  ///< counted from 1; 0 if no epoch was evaluated yet
  double value = 0;        ///< its loss or accuracy
  /// Evaluated epochs since the last improvement by more than the option --min-delta.
  std::int64_t epochs_without_improvement = 0;
  double reference = 0;  ///< loss or accuracy at that improvement

  /// Updates the state with the result of an evaluated epoch, which is finite. Returns true if it is the best
  /// so far. Any improvement makes an epoch the best; only one by more than `min_delta` resets
  /// `epochs_without_improvement`.
  bool update(std::int64_t evaluated, double result, bool lower_is_better, double min_delta) {
    const auto is_better = [&](double than, double delta) {
      return lower_is_better ? result < than - delta : result > than + delta;
    };
    const bool first = epoch == 0;
    ++epochs_without_improvement;
    if (first || is_better(reference, min_delta)) {
      reference = result;
      epochs_without_improvement = 0;
    }
    if (!first && !is_better(value, 0)) return false;
    epoch = evaluated;
    value = result;
    return true;
  }
};

}  // namespace warpfit
