// Some of a data set's samples, in an order that may differ from the data set's.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "host/stream/dataset.hpp"

namespace warpfit {

class Subset {
 public:
  /// All samples. The data set must outlive the subset and its copies.
  Subset(const Dataset& dataset)  // NOLINT(google-explicit-constructor)
      : Subset(dataset, 0, dataset.size()) {}
  /// `count` samples starting at `first`.
  Subset(const Dataset& dataset, std::int64_t first, std::int64_t count)
      : dataset_(&dataset), first_(first), count_(count) {}
  /// The samples with these indices.
  Subset(const Dataset& dataset, std::vector<std::uint32_t> samples)
      : dataset_(&dataset), count_(static_cast<std::int64_t>(samples.size())), samples_(std::move(samples)) {}

  [[nodiscard]] std::int64_t size() const { return count_; }
  [[nodiscard]] std::int64_t sample_size() const { return dataset_->sample_size(); }

  /// `count` samples starting at `first`.
  [[nodiscard]] Subset part(std::int64_t first, std::int64_t count) const;
  [[nodiscard]] Label label(std::int64_t sample) const;
  /// Number of samples in each of `classes` classes. All labels must be below `classes`.
  [[nodiscard]] std::vector<std::int64_t> class_counts(std::int64_t classes) const;

  /// As in Dataset, with indices within the subset.
  void read(std::int64_t first, std::span<std::uint8_t> pixels, Labels labels) const;
  void gather(std::span<const std::uint32_t> indices, std::span<std::uint8_t> pixels, Labels labels) const;

 private:
  const Dataset* dataset_;
  std::int64_t first_ = 0;
  std::int64_t count_;
  std::vector<std::uint32_t> samples_;  // empty for contiguous samples
};

/// A training set without its validation samples, and the validation samples.
struct Split {
  Subset training, validation;
};

/// Splits off the last `share` of the samples, rounded down, but at least one; with `shuffle` the split is
/// that of torch.utils.data.random_split with a generator of this seed. Errors: UsageError if no training
/// samples would be left.
Split split_off(const Dataset& dataset, double share, bool shuffle, std::uint64_t seed);

}  // namespace warpfit
