#include "host/cpu/layer_ops.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "host/base/error.hpp"
#include "host/cpu/activation.hpp"
#include "host/cpu/add.hpp"
#include "host/cpu/batch_norm_op.hpp"
#include "host/cpu/bias_gradient.hpp"
#include "host/cpu/conv_op.hpp"
#include "host/cpu/dropout.hpp"
#include "host/cpu/pool.hpp"
#include "host/cpu/sgd.hpp"
#include "host/cpu/transpose.hpp"

namespace warpfit::cpu {
namespace {

class LinearOp final : public LayerOp {
 public:
  LinearOp(const OpContext& context, const LinearOperation& operation)
      : context_(context),
        operation_(operation),
        no_bias_(operation.bias ? 0 : static_cast<std::size_t>(operation.outputs)) {}

  void forward(Mode, const OperationViews& views) override {
    context_.products.forward(views.x, weight(views.tensors), operation_.bias ? views.tensors[1] : no_bias_,
                              operation_.activation, views.y);
  }
  void backward_input(const OperationViews& views) override {
    context_.products.backward_input(views.dy, weight(views.tensors), views.x, operation_.input_activation,
                                     views.dx);
  }
  Fence backward_tensors(const OperationViews& views) override {
    if (views.gradients[0].empty()) {  // the weight is frozen
      const auto& dy = views.dy;
      context_.pool.split(dy.cols, std::max<std::int64_t>(1, kMinElements / dy.rows),
                          [&](auto first, auto end) {
                            const auto count = static_cast<std::size_t>(end - first);
                            bias_gradient({dy.data + first, dy.rows, end - first, dy.cols},
                                          views.gradients[1].subspan(static_cast<std::size_t>(first), count));
                          });
    } else {
      context_.products.backward_weights(views.x, views.dy, weight(views.gradients), bias(views.gradients));
    }
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
  // For a layer without bias or with a frozen one, returns scratch memory whose contents are ignored.
  [[nodiscard]] Vector bias(std::span<const Vector> tensors) {
    if (operation_.bias && !tensors[1].empty()) return tensors[1];
    unused_.resize(static_cast<std::size_t>(operation_.outputs));
    return unused_;
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
    if (mode == Mode::kTrain) drop(views.y);
  }
  void backward_input(const OperationViews& views) override { drop(views.dx); }

 private:
  void drop(Matrix values) {
    dropout(context_.pool, mask_, context_.run.step, context_.run.first_row * values.cols, values);
  }

  OpContext context_;
  DropoutMask mask_;
};

std::unique_ptr<LayerOp> make(const OpContext& context, const BatchNormOperation& operation, std::int64_t) {
  return make_batch_norm_op(context, operation);
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
      : context_(context),
        operation_(operation),
        indices_(
            static_cast<std::size_t>(operation.kind == PoolKind::kMax ? rows * operation.out().size() : 0)) {}

  void forward(Mode, const OperationViews& views) override {
    pool_forward(context_.pool, operation_, views.x, views.y, indices_);
  }
  void backward_input(const OperationViews& views) override {
    if (operation_.kind == PoolKind::kMax) {
      max_pool_backward(context_.pool, views.dy, indices_, views.dx);
    } else {
      avg_pool_backward(context_.pool, operation_, views.dy, views.dx);
    }
  }

 private:
  OpContext context_;
  PoolOperation operation_;
  std::vector<std::int32_t> indices_;  // of the maxima
};

// Errors: UsageError if an image has too many values for the 32-bit indices of the maxima.
std::unique_ptr<LayerOp> make(const OpContext& context, const PoolOperation& operation, std::int64_t rows) {
  if (operation.in.size() > std::numeric_limits<std::int32_t>::max())
    throw UsageError("pooling: an image has 2^31 values or more; use fewer channels before it");
  return std::make_unique<PoolOp>(context, operation, rows);
}

class TransposeOp final : public LayerOp {
 public:
  TransposeOp(const OpContext& context, const TransposeOperation& operation)
      : context_(context), operation_(operation) {}

  void forward(Mode, const OperationViews& views) override {
    transpose(context_.pool, operation_.rows, operation_.columns, views.x, views.y);
  }
  void backward_input(const OperationViews& views) override {
    transpose(context_.pool, operation_.columns, operation_.rows, views.dy, views.dx);
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
    if (views.y.data != views.x.data) std::ranges::copy(views.x.values(), views.y.data);
  }
  void backward_input(const OperationViews& views) override {
    add(context_.pool, views.dy.values(), views.other.values(), ActivationKind::kNone, views.dx.values());
  }

 private:
  OpContext context_;
};

class AddOp final : public LayerOp {
 public:
  AddOp(const OpContext& context, const AddOperation& operation) : context_(context), operation_(operation) {}

  void forward(Mode, const OperationViews& views) override {
    add(context_.pool, views.x.values(), views.other.values(), operation_.activation, views.y.values());
  }
  void backward_input(const OperationViews& views) override {
    if (views.dx.data != views.dy.data) std::ranges::copy(views.dy.values(), views.dx.data);
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

}  // namespace

std::unique_ptr<LayerOp> make_layer_op(const OpContext& context, const Operation& operation,
                                       std::int64_t rows) {
  return std::visit([&](const auto& kind) { return make(context, kind, rows); }, operation);
}

}  // namespace warpfit::cpu
