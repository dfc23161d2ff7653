// A column-major matrix product with the semantics of cuBLAS, computed by oneDNN on the host.
#pragma once

#include <cublas_v2.h>

#include <cstddef>

namespace warpfit::emulation {

/// One matrix of a product.
struct Matrix {
  const char* name;
  const void* data;
  cudaDataType type;  ///< CUDA_R_32F or CUDA_R_16BF
  int rows;
  int columns;
  int leading;  ///< distance of two columns in elements

  std::size_t element() const { return type == CUDA_R_32F ? 4 : 2; }
  /// Bytes from the first to the last element, including padding between columns.
  std::size_t extent() const;
};

/// A scalar: its value, or the address from which it is read when the work runs.
struct Scalar {
  float value = 0;
  const float* address = nullptr;
};

/// Rounding of the inputs before they are multiplied; sums are always fp32.
enum class InputRounding { kNone, kTf32, kBf16 };
float rounded(float x, InputRounding rounding);

/// C = alpha op(A) op(B) + beta C, where op(A) is (m, k), op(B) is (k, n) and C is (m, n).
struct Gemm {
  bool transpose_a;
  bool transpose_b;
  int m;
  int n;
  int k;
  Scalar alpha;
  Matrix a;
  Matrix b;
  Scalar beta;
  Matrix c;
  InputRounding rounding;
  void* workspace;
  std::size_t workspace_bytes;

  /// Fails if a matrix does not lie entirely in device (or pinned) memory, or if C overlaps an input.
  void check() const;
  void run() const;
};

}  // namespace warpfit::emulation
