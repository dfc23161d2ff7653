// The memory of a network's activations and gradients, and its operations, prepared for batches of a given
// size.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/backend/buffer.hpp"
#include "host/model/network.hpp"

namespace warpfit {

/// A batch, with the operations prepared for it.
struct Batch {
  /// An operation and its operands.
  struct Operation {
    std::unique_ptr<LayerOp> op;
    OperationViews views;
    std::vector<Vector> tensors, gradients, state;  ///< the memory that the views refer to
    bool trains = false;                            ///< as in PlannedOperation
    bool has_input_gradient = false;                ///< likewise
  };

  std::vector<Operation> operations;
  std::unique_ptr<LossOp> loss;  ///< if a loss was requested
  Matrix inputs;                 ///< (N, size of a sample)
  Matrix outputs, doutputs;      ///< (N, C): logits, and the gradient of the loss with respect to them
  Labels labels;                 ///< (N)
  Vector gradients;  ///< of all parameters, in the same layout; empty if they are not kept in memory
};

struct WorkspaceOptions {
  std::int64_t max_batch_size = 0;
  /// Whether the gradients of the parameters are kept in memory, for an optimizer that is a separate pass.
  bool keeps_gradients = false;
  std::uint64_t dropout_seed = 0;
  bool sync_batch_norm = false;  ///< see plan_operations()
};

class Workspace {
 public:
  /// Backend and network must outlive it, and it must outlive its batches.
  Workspace(Backend& backend, const Network& network, const WorkspaceOptions& options);

  [[nodiscard]] const OperationPlan& plan() const { return plan_; }
  [[nodiscard]] std::int64_t max_batch_size() const { return max_batch_size_; }
  /// Creates a batch of `rows` rows. The operations of a batch without rows compute nothing, except for their
  /// share in synchronized batch normalization. All batches share the same memory, so only one is in use at a
  /// time.
  [[nodiscard]] std::unique_ptr<Batch> prepare(std::int64_t rows, const std::optional<Loss>& loss) const;
  /// The output (rows, C) of the last operation.
  [[nodiscard]] Matrix outputs(std::int64_t rows) const;

 private:
  [[nodiscard]] Matrix value(std::size_t at, std::int64_t rows) const;
  [[nodiscard]] Matrix gradient(std::size_t at, std::int64_t rows) const;

  Backend& backend_;
  const Network& network_;
  OperationPlan plan_;
  std::int64_t max_batch_size_;
  std::vector<Buffer<float>> values_;     // of each value in the plan that has memory of its own
  std::vector<Buffer<float>> gradients_;  // likewise; that of the input is empty
  Buffer<Label> labels_;
  Buffer<float> parameter_gradients_;
};

}  // namespace warpfit
