#include "host/cpu/layer_ops.hpp"

#include <vector>

#include "host/cpu/activation.hpp"
#include "host/cpu/dropout.hpp"
#include "host/cpu/elementwise_loss.hpp"
#include "host/cpu/softmax_cross_entropy.hpp"

namespace warpfit::cpu {
namespace {

class LinearOp final : public LayerOp {
 public:
  LinearOp(const OpContext& context, const LinearOperation& operation)
      : context_(context),
        operation_(operation),
        no_bias_(operation.bias ? 0 : static_cast<std::size_t>(operation.outputs)),
        unused_(no_bias_.size()) {}

  void forward(Mode, const OperationViews& views) override {
    context_.products.forward(views.x, weight(views.tensors), operation_.bias ? views.tensors[1] : no_bias_,
                              operation_.activation, views.y);
  }
  void backward_input(const OperationViews& views) override {
    context_.products.backward_input(views.dy, weight(views.tensors), views.x, operation_.input_activation,
                                     views.dx);
  }
  Fence backward_tensors(const OperationViews& views) override {
    context_.products.backward_weights(views.x, views.dy, weight(views.gradients), bias(views.gradients));
    return {};
  }
  Fence backward_sgd(const OperationViews& views) override {
    context_.products.backward_sgd(views.x, views.dy, context_.run.rate, weight(views.tensors),
                                   bias(views.tensors));
    return {};
  }

 private:
  [[nodiscard]] Matrix weight(std::span<const Vector> tensors) const {
    return {tensors[0].data(), operation_.outputs, operation_.inputs};
  }
  // Of a layer without one, what is written to it is not used.
  [[nodiscard]] Vector bias(std::span<const Vector> tensors) {
    return operation_.bias ? tensors[1] : Vector(unused_);
  }

  OpContext context_;
  LinearOperation operation_;
  std::vector<float> no_bias_;  // zeros
  std::vector<float> unused_;
};

class ActivationOp final : public LayerOp {
 public:
  ActivationOp(const OpContext& context, const ActivationOperation& operation)
      : context_(context), activation_(operation.activation) {}

  void forward(Mode, const OperationViews& views) override {
    activation_forward(context_.pool, activation_, views.x, views.y);
  }
  void backward_input(const OperationViews& views) override {
    activation_backward(context_.pool, activation_, views.x, views.dy, views.dx);
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
    if (mode == Mode::kTrain) dropout(context_.pool, mask_, context_.run.step, views.y);
  }
  void backward_input(const OperationViews& views) override {
    dropout(context_.pool, mask_, context_.run.step, views.dx);
  }

 private:
  OpContext context_;
  DropoutMask mask_;
};

std::unique_ptr<LayerOp> make(const OpContext& context, const LinearOperation& operation) {
  return std::make_unique<LinearOp>(context, operation);
}
std::unique_ptr<LayerOp> make(const OpContext& context, const ActivationOperation& operation) {
  return std::make_unique<ActivationOp>(context, operation);
}
std::unique_ptr<LayerOp> make(const OpContext& context, const DropoutOperation& operation) {
  return std::make_unique<DropoutOp>(context, operation);
}

class ClassificationLoss final : public LossOp {
 public:
  ClassificationLoss(const OpContext& context, const Loss& loss, std::int64_t rows)
      : context_(context), loss_(loss), row_losses_(static_cast<std::size_t>(rows)) {}

  void add(ConstMatrix outputs, ConstLabels labels, Matrix doutputs, Metrics* metrics) override {
    if (!is_cross_entropy(loss_)) {
      elementwise_loss(context_.pool, loss_, outputs, labels, doutputs, row_losses_, *metrics);
    } else {
      softmax_cross_entropy(context_.pool, outputs, labels, loss_, doutputs, row_losses_, *metrics);
    }
  }

 private:
  OpContext context_;
  Loss loss_;
  std::vector<float> row_losses_;  // scratch
};

}  // namespace

std::unique_ptr<LayerOp> make_layer_op(const OpContext& context, const Operation& operation) {
  return std::visit([&](const auto& kind) { return make(context, kind); }, operation);
}

std::unique_ptr<LossOp> make_loss_op(const OpContext& context, const Loss& loss, std::int64_t rows) {
  return std::make_unique<ClassificationLoss>(context, loss, rows);
}

}  // namespace warpfit::cpu
