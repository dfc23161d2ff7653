#include "cuda/layer_ops.hpp"

#include <vector>

#include "cuda/batch_norm_op.hpp"
#include "cuda/conv_op.hpp"
#include "cuda/ops/activation.hpp"
#include "cuda/ops/add.hpp"
#include "cuda/ops/bias_gradient.hpp"
#include "cuda/ops/dropout.hpp"
#include "cuda/ops/elementwise_loss.hpp"
#include "cuda/ops/pool.hpp"
#include "cuda/ops/sgd.hpp"
#include "cuda/ops/softmax_cross_entropy.hpp"
#include "cuda/ops/transpose.hpp"
#include "cuda/runtime/copy.hpp"
#include "host/backend/buffer.hpp"

namespace warpfit {
namespace {

class LinearOp final : public LayerOp {
 public:
  LinearOp(const OpContext& context, const LinearOperation& operation)
      : context_(context), operation_(operation) {
    if (!operation.bias)
      no_bias_ = {context.backend, std::vector<float>(static_cast<std::size_t>(operation.outputs))};
  }

  void forward(Mode, const OperationViews& views) override {
    context_.products.forward(views.x, weight(views.tensors),
                              operation_.bias ? ConstVector(views.tensors[1]) : no_bias_.view(),
                              operation_.activation, views.y);
  }
  void backward_input(const OperationViews& views) override {
    context_.products.backward_input(views.dy, weight(views.tensors), views.x, operation_.input_activation,
                                     views.dx);
  }
  Fence backward_tensors(const OperationViews& views) override {
    if (views.gradients[0].empty()) {  // the weight is frozen
      cuda::bias_gradient(views.dy, views.gradients[1], context_.stream.get());
      return {};
    }
    context_.products.backward_weights(views.x, views.dy, weight(views.gradients), bias(views.gradients));
    return Fence(true);
  }
  Fence backward_sgd(const OperationViews& views) override {
    context_.products.backward_sgd(views.x, views.dy, context_.position, weight(views.tensors),
                                   bias(views.tensors));
    return Fence(true);
  }

 private:
  [[nodiscard]] Matrix weight(std::span<const Vector> tensors) const {
    return {tensors[0].data(), operation_.outputs, operation_.inputs};
  }
  // For a layer without bias or with a frozen one, returns scratch memory whose contents are ignored.
  [[nodiscard]] Vector bias(std::span<const Vector> tensors) {
    if (operation_.bias && !tensors[1].empty()) return tensors[1];
    if (unused_.size() == 0) unused_ = {context_.backend, static_cast<std::size_t>(operation_.outputs)};
    return unused_.view();
  }

  OpContext context_;
  LinearOperation operation_;
  Buffer<float> no_bias_;  // zeros
  Buffer<float> unused_;
};

class ActivationOp final : public LayerOp {
 public:
  ActivationOp(const OpContext& context, const ActivationOperation& operation)
      : context_(context), activation_(operation.activation) {}

  void forward(Mode, const OperationViews& views) override {
    cuda::activation_forward(activation_, views.x, views.y, context_.stream.get());
  }
  void backward_input(const OperationViews& views) override {
    cuda::activation_backward(activation_, views.x, views.dy, views.dx, context_.stream.get());
  }

 private:
  OpContext context_;
  Activation activation_;
};

class DropoutOp final : public LayerOp {
 public:
  DropoutOp(const OpContext& context, const DropoutOperation& operation)
      : context_(context), mask_(operation.mask) {}

  void forward(Mode mode, const OperationViews& views) override {
    if (mode == Mode::kTrain) drop(views.y);
  }
  void backward_input(const OperationViews& views) override { drop(views.dx); }

 private:
  void drop(Matrix values) { cuda::dropout(mask_, context_.position, values, context_.stream.get()); }

  OpContext context_;
  DropoutMask mask_;
};

std::unique_ptr<LayerOp> make(const OpContext& context, const BatchNormOperation& operation,
                              std::int64_t rows) {
  return make_batch_norm_op(context, operation, rows);
}
std::unique_ptr<LayerOp> make(const OpContext& context, const LinearOperation& operation, std::int64_t) {
  return std::make_unique<LinearOp>(context, operation);
}
std::unique_ptr<LayerOp> make(const OpContext& context, const ActivationOperation& operation, std::int64_t) {
  return std::make_unique<ActivationOp>(context, operation);
}
std::unique_ptr<LayerOp> make(const OpContext& context, const DropoutOperation& operation, std::int64_t) {
  return std::make_unique<DropoutOp>(context, operation);
}

class PoolOp final : public LayerOp {
 public:
  PoolOp(const OpContext& context, const PoolOperation& operation, std::int64_t rows)
      : context_(context), operation_(operation) {
    if (operation.kind == PoolKind::kMax)
      positions_ = {context.backend, static_cast<std::size_t>(rows * operation.out().size())};
  }

  void forward(Mode, const OperationViews& views) override {
    cuda::pool_forward(operation_, views.x, views.y, positions_.data(), context_.stream.get());
  }
  void backward_input(const OperationViews& views) override {
    cuda::pool_backward(operation_, views.dy, positions_.data(), views.dx, context_.stream.get());
  }

 private:
  OpContext context_;
  PoolOperation operation_;
  Buffer<std::uint16_t> positions_;  // of the maxima
};

std::unique_ptr<LayerOp> make(const OpContext& context, const PoolOperation& operation, std::int64_t rows) {
  return std::make_unique<PoolOp>(context, operation, rows);
}

class TransposeOp final : public LayerOp {
 public:
  TransposeOp(const OpContext& context, const TransposeOperation& operation)
      : context_(context), operation_(operation) {}

  void forward(Mode, const OperationViews& views) override {
    cuda::transpose(operation_.rows, operation_.columns, views.x, views.y, context_.stream.get());
  }
  void backward_input(const OperationViews& views) override {
    cuda::transpose(operation_.columns, operation_.rows, views.dy, views.dx, context_.stream.get());
  }

 private:
  OpContext context_;
  TransposeOperation operation_;
};

std::unique_ptr<LayerOp> make(const OpContext& context, const TransposeOperation& operation, std::int64_t) {
  return std::make_unique<TransposeOp>(context, operation);
}
std::unique_ptr<LayerOp> make(const OpContext& context, const ConvOperation& operation, std::int64_t rows) {
  return make_conv_op(context, operation, rows);
}

class ForkOp final : public LayerOp {
 public:
  explicit ForkOp(const OpContext& context) : context_(context) {}

  void forward(Mode, const OperationViews& views) override {
    if (views.y.data != views.x.data)
      copy_on_device(views.y.data, views.x.data, views.x.values().size_bytes(), context_.stream.get());
  }
  void backward_input(const OperationViews& views) override {
    cuda::add(views.dy.values(), views.other.values(), ActivationKind::kNone, views.dx.values(),
              context_.stream.get());
  }

 private:
  OpContext context_;
};

class AddOp final : public LayerOp {
 public:
  AddOp(const OpContext& context, const AddOperation& operation) : context_(context), operation_(operation) {}

  void forward(Mode, const OperationViews& views) override {
    cuda::add(views.x.values(), views.other.values(), operation_.activation, views.y.values(),
              context_.stream.get());
  }
  void backward_input(const OperationViews& views) override {
    if (views.dx.data != views.dy.data)
      copy_on_device(views.dx.data, views.dy.data, views.dy.values().size_bytes(), context_.stream.get());
  }

 private:
  OpContext context_;
  AddOperation operation_;
};

std::unique_ptr<LayerOp> make(const OpContext& context, const ForkOperation&, std::int64_t) {
  return std::make_unique<ForkOp>(context);
}
std::unique_ptr<LayerOp> make(const OpContext& context, const AddOperation& operation, std::int64_t) {
  return std::make_unique<AddOp>(context, operation);
}

class ClassificationLoss final : public LossOp {
 public:
  ClassificationLoss(const OpContext& context, const Loss& loss, std::int64_t rows)
      : context_(context), loss_(loss), row_results_(context.backend, static_cast<std::size_t>(rows)) {
    if (!loss.class_weights.empty()) class_weights_ = {context.backend, loss.class_weights};
  }

  void add(ConstMatrix outputs, ConstLabels labels, Matrix doutputs, Metrics* metrics) override {
    if (!is_cross_entropy(loss_)) {
      cuda::elementwise_loss(loss_, outputs, labels, doutputs, metrics, row_results_.data(), context_.arrived,
                             &context_.position->loss_divisor, context_.stream.get());
    } else {
      cuda::softmax_cross_entropy(loss_, class_weights_.data(), outputs, labels, doutputs, metrics,
                                  row_results_.data(), context_.arrived, &context_.position->loss_divisor,
                                  context_.stream.get());
    }
  }

 private:
  OpContext context_;
  Loss loss_;
  Buffer<float> class_weights_;
  Buffer<RowResult> row_results_;  // scratch
};

}  // namespace

std::unique_ptr<LayerOp> make_layer_op(const OpContext& context, const Operation& operation,
                                       std::int64_t rows) {
  return std::visit([&](const auto& kind) { return make(context, kind, rows); }, operation);
}

std::unique_ptr<LossOp> make_loss_op(const OpContext& context, const Loss& loss, std::int64_t rows) {
  return std::make_unique<ClassificationLoss>(context, loss, rows);
}

}  // namespace warpfit
