// fp32 matrix products with AMX, the matrix instructions of Intel processors (4th generation Xeon and later),
// which multiply bf16 values and add the products in fp32. A float is the sum of three bf16 values, its
// parts, so a product of floats is the sum of nine products of parts. The six largest are computed; the other
// three are together below 2^-24 of the product, half a unit in the last place. Sums are rounded six times
// for each 32 elements, where fp32 instructions round 32 times, so sums of more than a few products have a
// smaller error: with 2048 products about a third of that of oneDNN's fp32 product.
//
// Differences from fp32 instructions: an infinite operand gives NaN, and so does a finite one above 3.39e38,
// which rounds to an infinite bf16 value. A result within 1 % of the largest float can be infinite. Parts and
// sums below 1.2e-38 count as 0, so operands and products below about 1e-31 are less accurate.
// The method is that of oneMKL's compute mode "float_to_bf16x3".
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>

#include "host/cpu/part.hpp"

namespace warpfit::cpu {

/// An operand of a product, as lines: the rows of the first operand, the columns of the second one. `stride`
/// is BLAS's leading dimension.
struct ProductLines {
  const float* data;
  std::int64_t stride;
  /// True: element k of line i is data[i * stride + k]. False: data[k * stride + i].
  bool is_contiguous;
};

/// How a product is written to c: c = scale * (the product) + keep * c + bias. With keep = 0, c is not read.
struct ProductResult {
  Part<float> c;
  float scale = 1, keep = 0;
  const float* bias = nullptr;  ///< a value for each column of c; null for none
};

/// Matrix products on the calling thread. Not thread-safe. Uses 2 MiB of memory.
class AmxProduct {
 public:
  /// Whether this processor has AMX, the operating system permits it, and oneDNN is allowed to use it: the
  /// environment variable ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 forbids it.
  [[nodiscard]] static bool is_available();
  /// Whether AMX is expected to be faster than oneDNN's fp32 product for a result (rows, cols).
  [[nodiscard]] static bool is_faster(std::int64_t rows, std::int64_t cols, std::int64_t depth);

  /// Computes the product of c.rows rows and c.cols columns of `depth` elements; all sizes are at least 1. An
  /// element of the result depends on its row and its column only. Calls finish(tile), which must not throw,
  /// for tiles that together cover c, when their values are final. Errors: OutOfMemory at the first product.
  void run(const ProductLines& rows, const ProductLines& cols, std::int64_t depth,
           const ProductResult& result, const std::function<void(const Tile&)>& finish = {});

 private:
  struct Job {
    const ProductLines& rows;
    const ProductLines& cols;
    std::int64_t depth;
    const ProductResult& result;
    const std::function<void(const Tile&)>& finish;
  };
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };

  void add_products(const Job& job, std::int64_t row, std::int64_t rows, std::int64_t k, std::int64_t depth);

  std::unique_ptr<std::uint16_t, Free> packed_;  // panels of rows, then those of columns
};

}  // namespace warpfit::cpu
