// Softmax of one row of logits, on the host in double precision; the largest is subtracted first, so that
// nothing overflows.
#pragma once

#include <span>
#include <vector>

namespace warpfit {

/// Probabilities whose sum is 1. The logits must be finite.
std::vector<double> softmax(std::span<const float> logits);

/// The logarithms of these probabilities.
std::vector<double> log_softmax(std::span<const float> logits);

}  // namespace warpfit
