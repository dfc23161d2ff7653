// The best epoch so far, by what TrainOptions::best_by says, and how long ago the last improvement was.
#pragma once

#include <cstdint>

namespace warpfit {

struct Best {
  std::int64_t epoch = 0;   ///< from 1; 0 if none was evaluated
  double value = 0;         ///< its loss or accuracy
  std::int64_t waited = 0;  ///< epochs since, or since one better by the least improvement that counts
  double reference = 0;     ///< value of the epoch that `waited` counts from

  /// Takes account of an evaluated epoch; true if it is the best so far. `result` is finite. The best epoch
  /// is that of the best value; `waited` begins again only at an improvement by more than `min_delta`.
  bool update(std::int64_t evaluated, double result, bool lower_is_better, double min_delta) {
    const auto is_better = [&](double than, double delta) {
      return lower_is_better ? result < than - delta : result > than + delta;
    };
    const bool first = epoch == 0;
    ++waited;
    if (first || is_better(reference, min_delta)) {
      reference = result;
      waited = 0;
    }
    if (!first && !is_better(value, 0)) return false;
    epoch = evaluated;
    value = result;
    return true;
  }
};

}  // namespace warpfit
