#include "cuda/conv_op.hpp"

#include <optional>
#include <vector>

#include "cuda/ops/bias_gradient.hpp"
#include "cuda/ops/relu.hpp"
#include "cuda/ops/sgd.hpp"
#include "cuda/ops/transpose.hpp"
#include "cuda/runtime/dnn_graph.hpp"
#include "host/backend/buffer.hpp"

namespace warpfit {
namespace {

// cuDNN needs the weights of images with channels last in the same order: (out channels, window rows, window
// columns, in channels). They are transposed in the forward pass, for both passes of a step that read them.
class ConvOp final : public LayerOp {
 public:
  ConvOp(const OpContext& context, const ConvOperation& operation, std::int64_t rows)
      : context_(context), operation_(operation), rows_(rows) {
    (void)pass(forward_, ConvPass::kForward);
    if (!operation.bias)
      no_bias_ = {context.backend, std::vector<float>(static_cast<std::size_t>(operation.out_channels))};
    const auto pixels = rows * operation.out().pixels();
    const auto scratch = cuda::bias_gradient_scratch(pixels, operation.out_channels);
    if (operation.bias && scratch > 0) scratch_ = {context.backend, static_cast<std::size_t>(scratch)};
    if (is_transposed()) weights_ = {context.backend, static_cast<std::size_t>(operation.weights())};
  }

  void forward(Mode, const OperationViews& views) override {
    if (is_transposed()) {
      cuda::transpose(group_channels(), window(), as_matrix(views.tensors[0]), as_matrix(weights_.view()),
                      stream());
    }
    pass(forward_, ConvPass::kForward).run(views.x.data, weights(views), views.y.data);
    if (operation_.bias || operation_.activation != ActivationKind::kNone) {
      const ConstVector bias = operation_.bias ? ConstVector(views.tensors[1]) : no_bias_.view();
      cuda::bias_relu_forward(pixels(views.y), bias, operation_.activation, stream());
    }
  }
  void backward_input(const OperationViews& views) override {
    pass(backward_input_, ConvPass::kInputGradient).run(views.dy.data, weights(views), views.dx.data);
    if (operation_.input_activation == ActivationKind::kRelu)
      cuda::relu_backward(views.x.values(), views.dx.values(), stream());
  }
  Fence backward_tensors(const OperationViews& views) override {
    if (!views.gradients[0].empty()) {
      backward_weights(views, views.gradients[0]);
      if (is_transposed()) {
        cuda::transpose(window(), group_channels(), as_matrix(library_gradient_.view()),
                        as_matrix(views.gradients[0]), stream());
      }
    }
    if (operation_.bias && !views.gradients[1].empty())
      cuda::bias_gradient(pixels(views.dy), views.gradients[1], stream(), scratch_.view());
    return {};
  }
  Fence backward_sgd(const OperationViews& views) override {
    backward_weights(views, {});
    const float* rate = &context_.position->rate;
    if (is_transposed()) {
      cuda::transposed_sgd_update(window(), group_channels(), as_matrix(library_gradient_.view()), rate,
                                  as_matrix(views.tensors[0]), stream());
    } else {
      cuda::sgd_update(views.tensors[0], library_gradient_.view(), rate, stream());
    }
    if (operation_.bias) cuda::bias_sgd(pixels(views.dy), rate, views.tensors[1], stream(), scratch_.view());
    return {};
  }

 private:
  [[nodiscard]] cudaStream_t stream() const { return context_.stream.get(); }
  [[nodiscard]] std::int64_t group_channels() const { return operation_.in.channels / operation_.groups; }
  [[nodiscard]] std::int64_t window() const { return operation_.rows.size * operation_.columns.size; }
  // Otherwise both orders of the weights are the same.
  [[nodiscard]] bool is_transposed() const { return group_channels() > 1 && window() > 1; }

  [[nodiscard]] Matrix as_matrix(Vector weights) const {
    return {weights.data(), operation_.out_channels, group_channels() * window()};
  }
  [[nodiscard]] const float* weights(const OperationViews& views) const {
    return is_transposed() ? weights_.data() : views.tensors[0].data();
  }
  // The values as a matrix with a column for each channel.
  template <class T>
  [[nodiscard]] MatrixView<T> pixels(MatrixView<T> images) const {
    return {images.data, rows_ * operation_.out().pixels(), operation_.out_channels};
  }

  // Plans for gradients are made by the first step that needs them, which is never recorded: evaluations need
  // none.
  DnnConv& pass(std::optional<DnnConv>& made, ConvPass pass) {
    if (!context_.dnn) context_.dnn.emplace(context_.stream, context_.fast);
    if (!made) made.emplace(*context_.dnn, pass, operation_, rows_, context_.precision);
    return *made;
  }

  // The weight gradient in cuDNN's order: in library_gradient_, or in `result` if that is not empty and both
  // orders are the same.
  void backward_weights(const OperationViews& views, Vector result) {
    const bool is_kept = is_transposed() || result.empty();
    if (is_kept && library_gradient_.size() == 0)
      library_gradient_ = {context_.backend, static_cast<std::size_t>(operation_.weights())};
    pass(backward_weights_, ConvPass::kWeightGradient)
        .run(views.x.data, views.dy.data, is_kept ? library_gradient_.data() : result.data());
  }

  OpContext context_;
  ConvOperation operation_;
  std::int64_t rows_;
  std::optional<DnnConv> forward_, backward_input_, backward_weights_;
  Buffer<float> no_bias_;                     // zeros
  Buffer<float> scratch_;                     // of the biases' gradient
  Buffer<float> weights_, library_gradient_;  // in cuDNN's order
};

}  // namespace

std::unique_ptr<LayerOp> make_conv_op(const OpContext& context, const ConvOperation& operation,
                                      std::int64_t rows) {
  return std::make_unique<ConvOp>(context, operation, rows);
}

}  // namespace warpfit
