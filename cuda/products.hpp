// The products of linear layers on a GPU, with what belongs to them: by our own kernels where batches are
// small, by cuBLAS and a kernel behind it where they are large or precision is traded for speed.
#pragma once

#include "cuda/position.hpp"
#include "cuda/runtime/blas.hpp"
#include "host/backend/make_backend.hpp"

namespace warpfit {

class Products {
 public:
  /// Work goes to `stream`.
  Products(const Stream& stream, Precision precision, ProductKernels kernels);

  // As Backend's operations have it.
  void forward(ConstMatrix x, ConstMatrix w, ConstVector b, Activation activation, Matrix y);
  void backward_input(ConstMatrix dy, ConstMatrix w, ConstMatrix x, Activation activation, Matrix dx);
  void backward_weights(ConstMatrix x, ConstMatrix dy, Matrix dw, Vector db);
  void backward_sgd(ConstMatrix x, ConstMatrix dy, const Position* position, Matrix w, Vector b);

 private:
  /// The one rule of who computes a product of `rows` rows and a layer's `w`.
  [[nodiscard]] bool own(std::int64_t rows, ConstMatrix w) const;

  cudaStream_t stream_;
  Blas blas_;
  Precision precision_;
  ProductKernels kernels_;
};

}  // namespace warpfit
