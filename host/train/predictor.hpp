// What a network gives for each of a set of samples, brought to the host batch by batch.
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
  /// Takes a batch: the index of its first sample, and the logits (N, C) of all.
  using Take = std::function<void(std::int64_t first, std::span<const float> logits)>;

  /// All references must outlive it. `loss`: what to measure along the way, in the batches' own steps.
  Predictor(Backend& backend, const Network& network, const std::optional<Loss>& loss, const Subset& samples,
            std::int64_t batch_size);

  /// A pass over the samples as they lie. The metrics are of the loss, empty where none is measured.
  Metrics run(const Take& take);

 private:
  Backend& backend_;
  std::int64_t batch_size_;
  Workspace workspace_;
  StepRunner runner_;
  BatchStream stream_;
  std::vector<float> logits_;
};

}  // namespace warpfit
