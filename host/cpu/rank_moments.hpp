// What ranks exchange for synchronized batch normalization. CUDA counterpart:
// RankSlots in cuda/ops/batch_norm.
#pragma once

#include <cstdint>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/cpu/batch_norm.hpp"

namespace warpfit::cpu {

class RankMoments {
 public:
  /// The backend must outlive it.
  RankMoments(Backend& backend, const BatchNormOperation& operation);

  /// The moments of the values of all ranks, which are the same bits on each of them. Collective.
  [[nodiscard]] BatchNormMoments combine(const BatchNormMoments& own);
  /// Replaces both vectors with their sums over all ranks. Collective.
  void sum(Vector a, Vector b);

  /// The memory of such an object in bytes.
  [[nodiscard]] static std::uint64_t bytes(const BatchNormOperation& operation, int ranks);

 private:
  Backend& backend_;
  std::vector<float> slots_;  // (ranks, 1 + 2 * channels): count, means and squares of each rank
  std::vector<float> sums_;   // (2 * channels)
};

}  // namespace warpfit::cpu
