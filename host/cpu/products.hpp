// The matrix products of linear layers. Large products use AMX on processors that have it; all others use
// oneDNN. The result is divided into tiles: each thread computes a tile and applies the operations that
// follow while the tile is in the cache.
#pragma once

#include <memory>
#include <vector>

#include "host/backend/activation.hpp"
#include "host/cpu/amx_product.hpp"
#include "host/cpu/matmul.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

class Products {
 public:
  /// The pool must outlive it. `may_use_amx` must be false if AmxProduct::is_available() is.
  explicit Products(ThreadPool& pool, bool may_use_amx = AmxProduct::is_available());

  /// y (N, M) = activation(x (N, K) w' + b); w (M, K), b (M).
  void forward(ConstMatrix x, ConstMatrix w, ConstVector b, ActivationKind activation, Matrix y);

  /// dx (N, K) = dy (N, M) w (M, K), and 0 where x, the activation's output, is not above 0.
  void backward_input(ConstMatrix dy, ConstMatrix w, ConstMatrix x, ActivationKind activation, Matrix dx);

  // The same for bf16 operands, without bias and activation.
  void forward(ConstBf16Matrix x, ConstBf16Matrix w, Matrix y);
  void backward_input(ConstBf16Matrix dy, ConstBf16Matrix w, Matrix dx);

  /// dw (M, K) = dy' x and db (M) = the sum of dy over its rows; dy (N, M), x (N, K).
  void backward_weights(ConstMatrix x, ConstMatrix dy, Matrix dw, Vector db);

  /// w (M, K) -= rate * dy' x and b (M) -= rate * (sum of dy over its rows).
  void backward_sgd(ConstMatrix x, ConstMatrix dy, float rate, Matrix w, Vector b);

 private:
  /// State of one thread.
  struct Worker {
    Matmul matmul;
    AmxProduct amx;
    std::vector<float> tile;
  };

  [[nodiscard]] bool uses_amx(const Tile& first, std::int64_t depth) const;
  template <class Finish>
  void accumulate(ConstMatrix x, ConstMatrix dy, float scale, float keep, Matrix dw, const Finish& finish);

  ThreadPool& pool_;
  bool may_use_amx_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace warpfit::cpu
