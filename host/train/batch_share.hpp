// Which rows of each batch a rank computes when several processes train together.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "host/parallel/communicator.hpp"
#include "host/stream/sample_order.hpp"
#include "host/stream/subset.hpp"

namespace warpfit {

/// Consecutive rows of a batch.
struct Rows {
  std::int64_t first = 0, count = 0;
};

class BatchShare {
 public:
  /// Number of blocks that a batch is divided into for ordered sums: the largest number of ranks.
  static constexpr int kBlocks = 8;

  /// `ordered`: each batch is divided into the same blocks for any number of ranks, whose gradients are
  /// computed one by one and added in a tree. Errors: UsageError if the ranks cannot share kBlocks blocks
  /// evenly.
  BatchShare(const Communicator& communicator, bool ordered);

  [[nodiscard]] bool is_ordered() const { return ordered_; }
  /// Whether this rank computes whole batches, each in one go, and no gradients are summed over ranks.
  [[nodiscard]] bool is_everything() const { return !ordered_ && !sums_; }
  /// The number of parts of each batch that this rank computes one by one.
  [[nodiscard]] int parts() const { return ordered_ ? kBlocks / ranks_ : 1; }
  /// Such a part of a batch of `rows` rows.
  [[nodiscard]] Rows part(std::int64_t rows, int part) const;
  /// All of them. If not ordered, the ranks' numbers of rows differ by one at most, and the first ranks have
  /// more.
  [[nodiscard]] Rows rows(std::int64_t rows) const;

  /// The samples of a pass over `samples` samples that this rank computes, in batches of `batch_size`.
  [[nodiscard]] SampleOrder of_pass(SampleOrder pass, std::int64_t samples, std::int64_t batch_size) const;

 private:
  int rank_, ranks_;
  bool sums_;  // over ranks
  bool ordered_;
};

/// The samples of a set that this rank evaluates: consecutive whole batches, whose number differs from that
/// of another rank by one at most.
Subset evaluated_part(const Communicator& communicator, const Subset& samples, std::int64_t batch_size);

/// The number of batches in the largest evaluated_part() of a rank.
std::int64_t evaluated_batches(const Communicator& communicator, const Subset& samples,
                               std::int64_t batch_size);

/// What the losses of each batch of a pass are divided by: the number of its samples, or the sum of the
/// weights of their classes. `class_weights` may be empty.
std::vector<double> loss_divisors(const Subset& samples, const SampleOrder& pass, std::int64_t batch_size,
                                  const std::vector<float>& class_weights);

}  // namespace warpfit
