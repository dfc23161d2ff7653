#include "cuda/products.hpp"

#include <algorithm>

#include "cuda/ops/bias_gradient.hpp"
#include "cuda/ops/matmul.hpp"
#include "cuda/ops/relu.hpp"

namespace warpfit {

Products::Products(Stream& stream, Precision precision, ProductKernels kernels)
    : main_(stream), branches_(stream), precision_(precision), kernels_(kernels) {}

Blas& Products::blas() {
  if (!blas_) blas_.emplace(main_, precision_);
  return *blas_;
}

// Decided by the shape alone, not by timing at the start, so that the same run gives the same bits. The
// bounds are estimates of where computation outweighs launch overhead and idle multiprocessors; they were not
// measured.
bool Products::own(std::int64_t rows, ConstMatrix w) const {
  constexpr std::int64_t kMaxRows = 256;
  constexpr std::int64_t kMaxWidth = 2048;
  if (precision_ != Precision::kFp32) return false;
  if (kernels_ != ProductKernels::kByShape) return kernels_ == ProductKernels::kOwn;
  return rows <= kMaxRows && std::max(w.rows, w.cols) <= kMaxWidth;
}

void Products::forward(ConstMatrix x, ConstMatrix w, ConstVector b, ActivationKind activation, Matrix y) {
  if (own(x.rows, w)) {
    cuda::matmul_forward(x, w, b, activation, y, main_.get());
  } else {
    blas().forward(x, w, y);
    cuda::bias_relu_forward(y, b, activation, main_.get());
  }
}

void Products::backward_input(ConstMatrix dy, ConstMatrix w, ConstMatrix x, ActivationKind activation,
                              Matrix dx) {
  if (own(dy.rows, w)) {
    cuda::matmul_backward_input(dy, w, x, activation, dx, main_.get());
  } else {
    blas().backward_input(dy, w, dx);
    if (activation == ActivationKind::kRelu) cuda::relu_backward(x.values(), dx.values(), main_.get());
  }
}

void Products::backward_weights(ConstMatrix x, ConstMatrix dy, Matrix dw, Vector db) {
  if (own(x.rows, dw)) {
    cuda::matmul_backward_weights(x, dy, dw, db, branches_.fork());
  } else {
    blas().backward_weights(x, dy, dw);
    cuda::bias_gradient(dy, db, main_.get());
  }
}

void Products::backward_sgd(ConstMatrix x, ConstMatrix dy, const Position* position, Matrix w, Vector b) {
  if (own(x.rows, w)) {
    cuda::matmul_backward_sgd(x, dy, &position->rate, w, b, branches_.fork());
  } else {
    blas().accumulate_weights(x, dy, &position->negative_rate, &position->one, w);
    cuda::bias_sgd(dy, &position->rate, b, main_.get());
  }
}

}  // namespace warpfit
