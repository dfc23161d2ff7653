// fp32 matrix products on oneDNN (https://oneapi-src.github.io/oneDNN), measured the fastest library at these
// shapes; works with its versions 2 and 3.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "host/cpu/part.hpp"

namespace warpfit::cpu {

/// The upper half of a float's bits.
using Bf16 = std::uint16_t;
using ConstBf16Matrix = MatrixView<const Bf16>;

/// Products by the calling thread alone, their oneDNN primitives made once for each shape and kept. For one
/// thread at a time. Errors: OutOfMemory at the first product of a shape.
class Matmul {
 public:
  Matmul();
  ~Matmul();
  Matmul(const Matmul&) = delete;
  Matmul& operator=(const Matmul&) = delete;

  /// y (N, M) = x (N, K) w' + b; w (M, K), b (M).
  void forward(ConstMatrix x, ConstMatrix w, const float* b, Part<float> y);

  /// dx (N, K) = dy (N, M) w (M, K).
  void backward_input(ConstMatrix dy, Part<const float> w, Part<float> dx);

  // The same of bf16 values, without bias; products and sums are fp32.
  void forward(ConstBf16Matrix x, ConstBf16Matrix w, Part<float> y);
  void backward_input(ConstBf16Matrix dy, Part<const Bf16> w, Part<float> dx);
  /// Whether this processor has instructions for them, which make them faster than those of floats.
  [[nodiscard]] static bool has_bf16();

  /// dw (M, K) = scale * dy' x + keep * dw; dy (N, M), x (N, K).
  void backward_weights(Part<const float> x, Part<const float> dy, float scale, float keep, Part<float> dw);

  /// "oneDNN 2.6.3"
  [[nodiscard]] static std::string library();
  /// "AVX-512 with BF16": the most that oneDNN uses on this processor; empty where it is none of x86's.
  [[nodiscard]] static std::string instruction_set();

 private:
  struct Shape {
    std::int64_t rows, inner, cols, weights_stride, y_stride;
    bool forward;       // weights transposed, of floats a bias added
    bool bf16 = false;  // factors
    auto operator<=>(const Shape&) const = default;
  };
  struct Product;
  Product& product(const Shape& shape);
  void run(const Shape& shape, const void* src, const void* weights, const float* bias, float* dst);
  [[noreturn]] static void fail(const char* what, const Shape& shape, int status);

  struct Engine;
  std::unique_ptr<Engine> engine_;
  std::map<Shape, std::unique_ptr<Product>> products_;
  std::set<Shape> weight_shapes_;  // that a weight gradient was made of
};

}  // namespace warpfit::cpu
