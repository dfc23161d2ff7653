// cuBLAS: products of row-major matrices on a stream, in the chosen precision.
#pragma once

#include "cuda/runtime/blas_library.hpp"
#include "cuda/runtime/memory.hpp"
#include "cuda/runtime/stream.hpp"
#include "host/backend/backend.hpp"

namespace warpfit {

class Blas {
 public:
  /// Loads cuBLAS. Work is queued on `stream`. The handle has its own workspace, so that products do not
  /// allocate memory and results are reproducible. Errors: DeviceError if cuBLAS cannot be loaded or
  /// initialized; OutOfMemory.
  Blas(const Stream& stream, Precision precision);
  Blas(const Blas&) = delete;
  Blas& operator=(const Blas&) = delete;
  ~Blas();

  /// y (N, M) = x (N, K) w'; w (M, K).
  void forward(ConstMatrix x, ConstMatrix w, Matrix y);
  /// dx (N, K) = dy (N, M) w (M, K).
  void backward_input(ConstMatrix dy, ConstMatrix w, Matrix dx);
  /// dw (M, K) = dy' x; x (N, K), dy (N, M).
  void backward_weights(ConstMatrix x, ConstMatrix dy, Matrix dw);
  /// w (M, K) += scale * dy' x; `scale` and `one`, which is 1, are read on the device when the product runs.
  void accumulate_weights(ConstMatrix x, ConstMatrix dy, const float* scale, const float* one, Matrix w);

 private:
  // Column-major, as in cuBLAS: c (rows, cols) = alpha * a b + beta * c.
  struct Operand {
    const float* data;
    cublasOperation_t operation;
    std::int64_t leading;
  };
  void multiply(std::int64_t rows, std::int64_t cols, std::int64_t inner, Operand a, Operand b, float* c,
                const float* alpha, const float* beta, cublasPointerMode_t scalars);

  void check(cublasStatus_t status, const char* doing) const;

  BlasLibrary library_;
  DeviceMemory workspace_;
  cublasHandle_t handle_ = nullptr;
  cublasComputeType_t compute_;
};

}  // namespace warpfit
