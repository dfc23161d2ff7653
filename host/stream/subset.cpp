#include "host/stream/subset.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "host/base/error.hpp"
#include "host/base/torch_random.hpp"

namespace warpfit {

Subset Subset::part(std::int64_t first, std::int64_t count) const {
  if (samples_.empty()) return {*dataset_, first_ + first, count};
  const auto begin = samples_.begin() + first;
  return {*dataset_, std::vector<std::uint32_t>(begin, begin + count)};
}

Label Subset::label(std::int64_t sample) const {
  const auto at = samples_.empty() ? first_ + sample : samples_[static_cast<std::size_t>(sample)];
  return dataset_->labels()[static_cast<std::size_t>(at)];
}

void Subset::read(std::int64_t first, std::span<std::uint8_t> pixels, Labels labels) const {
  if (samples_.empty()) {
    dataset_->read(first_ + first, pixels, labels);
  } else {
    dataset_->gather(std::span(samples_).subspan(static_cast<std::size_t>(first), labels.size()), pixels,
                     labels);
  }
}

void Subset::gather(std::span<const std::uint32_t> indices, std::span<std::uint8_t> pixels,
                    Labels labels) const {
  std::vector<std::uint32_t> of_dataset(indices.begin(), indices.end());
  for (auto& index : of_dataset) {
    index = samples_.empty() ? static_cast<std::uint32_t>(first_ + index) : samples_[index];
  }
  dataset_->gather(of_dataset, pixels, labels);
}

std::vector<std::int64_t> Subset::class_counts(std::int64_t classes) const {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes));
  for (std::int64_t i = 0; i < count_; ++i) ++counts[label(i)];
  return counts;
}

Split split_off(const Dataset& dataset, double share, bool shuffle, std::uint64_t seed) {
  const std::int64_t size = dataset.size();
  const auto validation =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(share * static_cast<double>(size)));
  const std::int64_t training = size - validation;
  if (training < 1) {
    throw UsageError(fmt::format("--validation-split {}: none of the {} samples of {} is left for training",
                                 share, size, dataset.images_path()));
  }
  if (!shuffle) return {{dataset, 0, training}, {dataset, training, validation}};
  TorchGenerator generator(seed);
  const auto order = random_permutation(static_cast<std::uint32_t>(size), generator);
  return {{dataset, {order.begin(), order.begin() + training}},
          {dataset, {order.begin() + training, order.end()}}};
}

}  // namespace warpfit
