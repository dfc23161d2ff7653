// An operation that a backend has prepared for batches of one size.
#pragma once

#include <span>

#include "host/backend/views.hpp"

namespace warpfit {

enum class Mode { kTrain, kEvaluate };

/// The memory that an operation works on: x (N, K) and y (N, M), the gradients of the loss by them, the
/// operation's tensors, the gradients of these, of which each has its tensor's size, and the tensors of its
/// state, which forward() changes in training.
struct OperationViews {
  ConstMatrix x = {};
  Matrix y = {};
  ConstMatrix dy = {};
  Matrix dx = {};
  std::span<const Vector> tensors = {};
  std::span<const Vector> gradients = {};
  std::span<const Vector> state = {};
};

/// Work on parameter gradients that may still run when the call that started it returns. It reads x, dy and
/// tensors, and writes gradients or tensors: whoever changes or reads these waits for it first.
class Fence {
 public:
  Fence() = default;
  explicit Fence(bool open) : open_(open) {}
  /// Both.
  Fence& operator|=(const Fence& other) {
    open_ = open_ || other.open_;
    return *this;
  }
  [[nodiscard]] bool is_open() const { return open_; }

 private:
  bool open_ = false;
};

/// Calls queue work and wait for nothing; they are made inside a step, each time with views of the same
/// memory.
class LayerOp {
 public:
  LayerOp() = default;
  LayerOp(const LayerOp&) = delete;
  LayerOp& operator=(const LayerOp&) = delete;
  virtual ~LayerOp() = default;

  virtual void forward(Mode mode, const OperationViews& views) = 0;

  /// dx, from dy and what forward() was given and gave.
  virtual void backward_input(const OperationViews& views) = 0;

  /// The gradients of the tensors; of an operation that has none, nothing.
  virtual Fence backward_tensors(const OperationViews& /*views*/) { return {}; }

  /// tensors -= rate * gradients, plain SGD with the run's learning rate, without gradients in memory. Only
  /// of operations that have tensors.
  virtual Fence backward_sgd(const OperationViews& /*views*/) { return {}; }
};

}  // namespace warpfit
