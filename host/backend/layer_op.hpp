// An operation that a backend has prepared for batches of one size.
#pragma once

#include <span>

#include "host/backend/views.hpp"

namespace warpfit {

enum class Mode { kTrain, kEvaluate };

/// The memory that an operation works on: x (N, K), y (N, M), the gradients dx and dy of the loss with
/// respect to them, `other` (N, M) of operations that have it, the operation's tensors, their gradients (each
/// of its tensor's size, or empty if the tensor is frozen and its gradient is not needed), and the tensors of
/// its state, which forward() changes in training.
struct OperationViews {
  ConstMatrix x = {};
  Matrix y = {};
  ConstMatrix dy = {};
  Matrix dx = {};
  ConstMatrix other = {};
  std::span<const Vector> tensors = {};
  std::span<const Vector> gradients = {};
  std::span<const Vector> state = {};
};

/// Work on parameter gradients that may still run after the call that started it has returned. It reads x, dy
/// and tensors, and writes gradients or tensors: wait for it before changing or reading any of these.
class Fence {
 public:
  Fence() = default;
  explicit Fence(bool open) : open_(open) {}
  /// The result covers the work of both fences.
  Fence& operator|=(const Fence& other) {
    open_ = open_ || other.open_;
    return *this;
  }
  [[nodiscard]] bool is_open() const { return open_; }

 private:
  bool open_ = false;
};

/// An operation. Its calls queue work and wait for nothing (for the exception see Backend::prepare); they are
/// made within a step, each time with views of the same memory. The first call of each function may also
/// allocate memory.
class LayerOp {
 public:
  LayerOp() = default;
  LayerOp(const LayerOp&) = delete;
  LayerOp& operator=(const LayerOp&) = delete;
  virtual ~LayerOp() = default;

  virtual void forward(Mode mode, const OperationViews& views) = 0;

  /// Computes dx from dy and from the inputs and outputs of forward().
  virtual void backward_input(const OperationViews& views) = 0;

  /// Computes the gradients that the views have memory for; does nothing if the operation has no tensors.
  virtual Fence backward_tensors(const OperationViews& /*views*/) { return {}; }

  /// tensors -= rate * gradients: plain SGD with the run's learning rate, without storing the gradients. Only
  /// for operations that have tensors.
  virtual Fence backward_sgd(const OperationViews& /*views*/) { return {}; }
};

}  // namespace warpfit
