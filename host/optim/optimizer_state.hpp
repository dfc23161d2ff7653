// An optimizer and what it remembers between steps, in the backend's memory.
#pragma once

#include <array>

#include "host/backend/buffer.hpp"
#include "host/backend/optimizer.hpp"

namespace warpfit {

class OptimizerState {
 public:
  /// For `size` parameters, before the first step. Plain SGD takes no memory.
  OptimizerState(Backend& backend, const Optimizer& optimizer, std::size_t size);

  /// Takes a step: inside a recorded step, with the run's learning rate. Both have the size of the
  /// constructor's.
  void update(Vector parameters, ConstVector gradients) const;

  [[nodiscard]] const Optimizer& optimizer() const { return optimizer_; }
  /// What a step reads and writes.
  [[nodiscard]] OptimizerViews views(Vector parameters, ConstVector gradients) const;

  /// What it remembers, for a checkpoint: moments of the constructor's size, or empty.
  struct Memory {
    std::array<std::vector<float>, kMostMoments> moments;
    std::int64_t steps = 0;
    float scalar = 0;  ///< as OptimizerProgress::scalar
  };
  [[nodiscard]] Memory memory() const;
  /// Errors: ModelError where it is of another optimizer or size.
  void restore(const Memory& memory);

 private:
  Backend& backend_;
  Optimizer optimizer_;
  std::array<Buffer<float>, kMostMoments> moments_;
  Buffer<OptimizerProgress> progress_;
};

}  // namespace warpfit
