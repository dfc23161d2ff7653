// Computes the outputs of a network for a set of samples and copies them to the host batch by batch.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "host/stream/batch_stream.hpp"
#include "host/train/step.hpp"

namespace warpfit {

class Predictor {
 public:
  /// Receives a batch: the index of its first sample, and its logits (N, C).
  using Take = std::function<void(std::int64_t first, std::span<const float> logits)>;

  /// All references must outlive it. `loss`: the loss to measure during the pass, if any. `views`: at least
  /// one; the outputs are their mean.
  Predictor(Backend& backend, const Network& network, const std::optional<Loss>& loss, const Subset& samples,
            std::int64_t batch_size, std::vector<TestView> views = {TestView{}});

  /// Makes a pass over the samples in order. Returns the metrics of the loss, which are empty if none is
  /// measured.
  Metrics run(const Take& take);

 private:
  /// The outputs (rows, C) of the last batch.
  [[nodiscard]] Matrix outputs(std::int64_t rows) const;

  Backend& backend_;
  std::int64_t batch_size_;
  std::vector<TestView> views_;
  Workspace workspace_;
  Buffer<float> means_;  // of the outputs; empty if there is one view
  StepRunner runner_;
  BatchStream stream_;
  std::vector<float> logits_;
};

}  // namespace warpfit
