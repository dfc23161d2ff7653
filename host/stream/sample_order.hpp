// The order in which one pass visits the samples.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "host/base/torch_random.hpp"

namespace warpfit {

class SampleOrder {
 public:
  /// First to last, as they lie in the file.
  SampleOrder() = default;

  /// The order of one pass of PyTorch's DataLoader over `size` samples, with its draws from the global
  /// generator: the workers' base seed, which nothing here uses, then with `shuffle` the seed of the
  /// sampler's own generator. Source: torch/utils/data/dataloader.py and sampler.py (RandomSampler).
  static SampleOrder of_pass(std::int64_t size, bool shuffle, TorchGenerator& generator);

  [[nodiscard]] bool is_file_order() const { return indices_.empty(); }
  /// The samples to visit from the `first` visited on; only of a shuffled order.
  [[nodiscard]] std::span<const std::uint32_t> indices(std::int64_t first, std::int64_t count) const {
    return std::span(indices_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
  }

 private:
  explicit SampleOrder(std::vector<std::uint32_t> indices) : indices_(std::move(indices)) {}

  std::vector<std::uint32_t> indices_;  // empty for the file's order
};

}  // namespace warpfit
