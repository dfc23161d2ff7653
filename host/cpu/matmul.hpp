// fp32 matrix products with oneDNN (https://oneapi-src.github.io/oneDNN), versions 2 and 3. It was the
// fastest library for these shapes in our measurements.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "host/cpu/part.hpp"

namespace warpfit::cpu {

/// The upper 16 bits of a float.
using Bf16 = std::uint16_t;
using ConstBf16Matrix = MatrixView<const Bf16>;

/// Matrix products on the calling thread. The oneDNN primitives are created once for each shape and cached.
/// Not thread-safe. Errors: OutOfMemory at the first product of a shape.
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

  // The same for bf16 operands, without bias; products and sums are computed in fp32.
  void forward(ConstBf16Matrix x, ConstBf16Matrix w, Part<float> y);
  void backward_input(ConstBf16Matrix dy, Part<const Bf16> w, Part<float> dx);
  /// Whether this processor has bf16 instructions, which make such products faster than those of floats.
  [[nodiscard]] static bool has_bf16();

  /// dw (M, K) = scale * dy' x + keep * dw; dy (N, M), x (N, K).
  void backward_weights(Part<const float> x, Part<const float> dy, float scale, float keep, Part<float> dw);

  /// "oneDNN 2.6.3"
  [[nodiscard]] static std::string library();
  /// The highest instruction set that oneDNN uses on this processor, such as "AVX-512 with BF16"; empty on
  /// processors other than x86.
  [[nodiscard]] static std::string instruction_set();

 private:
  struct Shape {
    std::int64_t rows, inner, cols, weights_stride, y_stride;
    bool forward;       // weights transposed; with floats, a bias is added
    bool bf16 = false;  // whether the operands are bf16
    auto operator<=>(const Shape&) const = default;
  };
  struct Product;
  Product& product(const Shape& shape);
  void run(const Shape& shape, const void* src, const void* weights, const float* bias, float* dst);
  [[noreturn]] static void fail(const char* what, const Shape& shape, int status);

  struct Engine;
  std::unique_ptr<Engine> engine_;
  std::map<Shape, std::unique_ptr<Product>> products_;
  std::set<Shape> weight_shapes_;  // of which a weight gradient was computed
};

}  // namespace warpfit::cpu
