// The order in which one pass visits the samples.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "host/base/torch_random.hpp"

namespace warpfit {

class SampleOrder {
 public:
  /// From first to last, in the file's order.
  SampleOrder() = default;
  /// These samples, which may be a part of the set.
  explicit SampleOrder(std::vector<std::uint32_t> indices) : indices_(std::move(indices)) {}

  /// The order of one pass of PyTorch's DataLoader over `size` samples, with the same draws from the global
  /// generator: the base seed of the workers, which is not used here, then with `shuffle` the seed of the
  /// sampler's generator. Source: torch/utils/data/dataloader.py and sampler.py (RandomSampler).
  static SampleOrder of_pass(std::int64_t size, bool shuffle, TorchGenerator& generator);

  [[nodiscard]] bool is_file_order() const { return !indices_; }
  /// The number of samples of a pass over a set of `samples` samples.
  [[nodiscard]] std::int64_t visits(std::int64_t samples) const {
    return indices_ ? static_cast<std::int64_t>(indices_->size()) : samples;
  }
  /// `count` samples of an order other than the file's, starting at position `first` of the pass.
  [[nodiscard]] std::span<const std::uint32_t> indices(std::int64_t first, std::int64_t count) const {
    return std::span(*indices_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
  }

 private:
  std::optional<std::vector<std::uint32_t>> indices_;  // none for the file's order
};

}  // namespace warpfit
