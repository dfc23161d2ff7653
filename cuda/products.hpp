// The matrix products of linear layers on a GPU, with bias, activation and update: by warpfit's own kernels
// for small batches; by cuBLAS and a kernel after it for large batches or reduced precision. Small updates
// run concurrently with the input gradients of the layers below; large ones fill the GPU by themselves.
#pragma once

#include <optional>

#include "cuda/branches.hpp"
#include "cuda/position.hpp"
#include "cuda/runtime/blas.hpp"
#include "host/backend/backend_options.hpp"

namespace warpfit {

class Products {
 public:
  /// Work is queued on `stream` and on branches of it.
  Products(Stream& stream, Precision precision, ProductKernels kernels);

  // See the operations of Backend. The results of the last two functions are available after join().
  void forward(ConstMatrix x, ConstMatrix w, ConstVector b, ActivationKind activation, Matrix y);
  void backward_input(ConstMatrix dy, ConstMatrix w, ConstMatrix x, ActivationKind activation, Matrix dx);
  void backward_weights(ConstMatrix x, ConstMatrix dy, Matrix dw, Vector db);
  void backward_sgd(ConstMatrix x, ConstMatrix dy, const Position* position, Matrix w, Vector b);

  /// Makes the stream wait for its branches.
  void join() { branches_.join(); }
  /// Makes `other` wait for the work that is queued on the branches now.
  void let_wait(Stream& other) { branches_.let_wait(other); }
  /// For destructors: waits for the branches and ignores errors.
  void drain() noexcept { branches_.drain(); }

 private:
  /// Whether warpfit's own kernel computes a product of `rows` rows with a layer's weights `w`.
  [[nodiscard]] bool own(std::int64_t rows, ConstMatrix w) const;
  /// cuBLAS, loaded at the first call. For a recorded step this call is made before capture begins.
  Blas& blas();

  Stream& main_;
  Branches branches_;
  std::optional<Blas> blas_;
  Precision precision_;
  ProductKernels kernels_;
};

}  // namespace warpfit
