// The products of linear layers on a GPU, with what belongs to them: by our own kernels where batches are
// small, by cuBLAS and a kernel after it where they are large or precision is traded for speed. Small
// updates run concurrently with the input gradients of the layers below; large ones fill a GPU by themselves.
#pragma once

#include <optional>

#include "cuda/branches.hpp"
#include "cuda/position.hpp"
#include "cuda/runtime/blas.hpp"
#include "host/backend/backend_options.hpp"

namespace warpfit {

class Products {
 public:
  /// Work goes to `stream` and to branches of it.
  Products(Stream& stream, Precision precision, ProductKernels kernels);

  // As Backend's operations have it. What the last two write is there after join().
  void forward(ConstMatrix x, ConstMatrix w, ConstVector b, ActivationKind activation, Matrix y);
  void backward_input(ConstMatrix dy, ConstMatrix w, ConstMatrix x, ActivationKind activation, Matrix dx);
  void backward_weights(ConstMatrix x, ConstMatrix dy, Matrix dw, Vector db);
  void backward_sgd(ConstMatrix x, ConstMatrix dy, const Position* position, Matrix w, Vector b);

  /// Makes the stream wait for its branches.
  void join() { branches_.join(); }
  /// For destructors: waits for the branches, whatever the device says.
  void drain() noexcept { branches_.drain(); }

 private:
  /// The one rule of who computes a product of `rows` rows and a layer's `w`.
  [[nodiscard]] bool own(std::int64_t rows, ConstMatrix w) const;
  /// cuBLAS, loaded at the first call. A recorded step makes that call before it is captured.
  Blas& blas();

  Stream& main_;
  Branches branches_;
  std::optional<Blas> blas_;
  Precision precision_;
  ProductKernels kernels_;
};

}  // namespace warpfit
