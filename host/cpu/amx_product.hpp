// fp32 matrix products with AMX, the matrix instructions of Intel processors (4th generation Xeon and later),
// which multiply bf16 values and add the products in fp32. A float is the sum of three bf16 values, its
// parts, so a product of floats is the sum of nine products of parts. The six largest are computed; the
// others are below 2^-24 of the product, half a unit in the last place. The rounding error is smaller than
// that of fp32 instructions, because 32 products are added to a sum at once: about a third for sums of 2048
// products.
//
// Differences to fp32 instructions: an infinite operand gives NaN, as does one above 3.38e38, which has no
// finite bf16 value; parts and sums below 1.2e-38 count as 0, so operands below about 1e-33 are less
// accurate. The method is that of oneMKL's compute mode "float_to_bf16x3".
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "host/cpu/part.hpp"

namespace warpfit::cpu {

/// An operand, as lines: the rows of the first operand of a product, the columns of the second one. All
/// lines are as long as the product is deep.
struct ProductLines {
  const float* data;
  std::int64_t stride;
  /// True: element k of line i is data[i * stride + k]. False: data[k * stride + i].
  bool is_contiguous;
};

/// What becomes of the result c.
struct ProductResult {
  Part<float> c;
  float scale = 1, keep = 0;    ///< c = scale * (the product) + keep * c + bias
  const float* bias = nullptr;  ///< a value for each column of c; null for none
};

/// Matrix products on the calling thread. Not thread-safe. Needs 2 MiB of memory.
class AmxProduct {
 public:
  /// Whether this processor has AMX and oneDNN is allowed to use it: the environment variable
  /// ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 forbids it.
  [[nodiscard]] static bool is_available();
  /// Whether AMX is expected to be faster than oneDNN's fp32 product for a result (rows, cols).
  [[nodiscard]] static bool is_faster(std::int64_t rows, std::int64_t cols, std::int64_t depth);

  /// Computes the product of `rows`, of which there are c.rows, and `cols`, of which there are c.cols. The
  /// result does not depend on how a larger product was divided into rows and columns. Calls finish(tile)
  /// for tiles that together cover c, when their values are final. Errors: OutOfMemory at the first product.
  template <class Finish>
  void run(const ProductLines& rows, const ProductLines& cols, std::int64_t depth,
           const ProductResult& result, const Finish& finish) {
    multiply(
        {rows,
         cols,
         depth,
         result,
         {[](const void* what, const Tile& tile) { (*static_cast<const Finish*>(what))(tile); }, &finish}});
  }

 private:
  struct Finisher {
    void (*call)(const void* what, const Tile& tile);
    const void* what;
  };
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };

  struct Job {
    const ProductLines& rows;
    const ProductLines& cols;
    std::int64_t depth;
    const ProductResult& result;
    Finisher finish;
  };

  void multiply(const Job& job);
  void add_products(const Job& job, std::int64_t row, std::int64_t rows, std::int64_t k, std::int64_t depth);

  std::unique_ptr<std::uint16_t, Free> packed_;  // parts of a block of rows, then those of a block of columns
};

}  // namespace warpfit::cpu
