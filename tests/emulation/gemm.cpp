// Runs and checks a matrix product, and informs the sanitizers of its memory accesses: oneDNN is not
// instrumented.
#include "tests/emulation/gemm.hpp"

#include <dnnl.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/emulation/runtime.hpp"
#include "tests/emulation/sanitizer.hpp"
#include "tests/emulation/shared_memory.hpp"

namespace warpfit::emulation {
namespace {

float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

/// Rounds to nearest, ties to even.
std::uint16_t to_bf16(float x) {
  if (x != x) return 0x7fff;
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// Rounds to nearest with 10 fraction bits, ties away from zero.
float to_tf32(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const bool finite = (bits & 0x7f800000) != 0x7f800000;
  return finite ? std::bit_cast<float>((bits + 0x1000) & ~std::uint32_t{0x1fff}) : x;
}

/// A matrix in the form that oneDNN takes: the program's own memory, or a converted copy.
struct Operand {
  std::vector<float> copy;
  const float* data = nullptr;
  int leading = 0;
};

float element(const Matrix& matrix, std::size_t index) {
  if (matrix.type == CUDA_R_32F) return static_cast<const float*>(matrix.data)[index];
  return from_bf16(static_cast<const std::uint16_t*>(matrix.data)[index]);
}

Operand operand(const Matrix& matrix, InputRounding rounding) {
  if (matrix.type == CUDA_R_32F && rounding == InputRounding::kNone) {
    return {{}, static_cast<const float*>(matrix.data), matrix.leading};
  }
  Operand result;
  result.leading = std::max(matrix.rows, 1);
  result.copy.reserve(std::size_t(matrix.rows) * std::size_t(matrix.columns));
  for (int column = 0; column < matrix.columns; ++column) {
    for (int row = 0; row < matrix.rows; ++row) {
      const float x = element(matrix, std::size_t(column) * std::size_t(matrix.leading) + std::size_t(row));
      result.copy.push_back(rounded(x, rounding));
    }
  }
  result.data = result.copy.data();
  return result;
}

template <class F>
void for_columns(const Matrix& matrix, F f) {
  const char* start = static_cast<const char*>(matrix.data);
  const std::size_t column_bytes = matrix.element() * std::size_t(matrix.rows);
  for (int column = 0; column < matrix.columns; ++column) {
    f(start + std::size_t(column) * std::size_t(matrix.leading) * matrix.element(), column_bytes);
  }
}

void expect_in_memory(const Matrix& matrix) {
  const Memory& memory = runtime().memory;
  if (matrix.extent() == 0) return;
  if (memory.kind(matrix.data) == MemoryKind::kPageable) {
    fail("matrix product: %s points %s", matrix.name, memory.describe(matrix.data).c_str());
  }
  if (!memory.holds(matrix.data, matrix.extent())) {
    fail("matrix product: %s takes %zu bytes (%d x %d, leading dimension %d) and begins at %s", matrix.name,
         matrix.extent(), matrix.rows, matrix.columns, matrix.leading, memory.describe(matrix.data).c_str());
  }
}

void expect_apart(const Matrix& input, const Matrix& output) {
  const auto* a = static_cast<const char*>(input.data);
  const auto* c = static_cast<const char*>(output.data);
  if (a < c + output.extent() && c < a + input.extent()) fail("matrix product: C overlaps %s", input.name);
}

float value(const Scalar& scalar, const char* name) {
  if (scalar.address == nullptr) return scalar.value;
  if (!runtime().memory.holds(scalar.address, sizeof(float))) {
    fail("matrix product: %s points %s", name, runtime().memory.describe(scalar.address).c_str());
  }
  sanitizer::reads(scalar.address, sizeof(float));
  return *scalar.address;
}

void store(const std::vector<float>& from, const Matrix& c) {
  auto* to = static_cast<std::uint16_t*>(const_cast<void*>(c.data));
  for (int column = 0; column < c.columns; ++column) {
    for (int row = 0; row < c.rows; ++row) {
      to[std::size_t(column) * std::size_t(c.leading) + std::size_t(row)] =
          to_bf16(from[std::size_t(column) * std::size_t(c.rows) + std::size_t(row)]);
    }
  }
}

void scale(float* c, int m, int n, int leading, float beta) {
  for (int column = 0; column < n; ++column) {
    for (int row = 0; row < m; ++row) {
      float& x = c[std::size_t(column) * std::size_t(leading) + std::size_t(row)];
      x = beta == 0 ? 0 : beta * x;
    }
  }
}

}  // namespace

float rounded(float x, InputRounding rounding) {
  return rounding == InputRounding::kTf32   ? to_tf32(x)
         : rounding == InputRounding::kBf16 ? from_bf16(to_bf16(x))
                                            : x;
}

std::size_t Matrix::extent() const {
  if (rows <= 0 || columns <= 0) return 0;
  return (std::size_t(columns - 1) * std::size_t(leading) + std::size_t(rows)) * element();
}

void Gemm::check() const {
  expect_in_memory(a);
  expect_in_memory(b);
  expect_in_memory(c);
  expect_apart(a, c);
  expect_apart(b, c);
}

void Gemm::run() const {
  check();
  const float factor = value(alpha, "alpha");
  const float keep = value(beta, "beta");
  for (const Matrix* input : {&a, &b}) {
    for_columns(*input, [](const char* start, std::size_t bytes) { sanitizer::reads(start, bytes); });
  }
  for_columns(
      c, [](const char* start, std::size_t bytes) { sanitizer::writes(const_cast<char*>(start), bytes); });
  if (workspace != nullptr) {  // cuBLAS may overwrite the workspace
    const std::size_t used = std::min<std::size_t>(workspace_bytes, std::size_t{64} << 10);
    sanitizer::writes(workspace, std::min<std::size_t>(used, 256));
    fill_with_nan(workspace, used);
  }

  Operand result;
  const bool in_place = c.type == CUDA_R_32F;
  if (!in_place) result = operand(c, InputRounding::kNone);
  float* out = in_place ? static_cast<float*>(const_cast<void*>(c.data)) : result.copy.data();
  const int leading = in_place ? c.leading : result.leading;
  if (k == 0 || factor == 0) {  // the inputs are not read
    scale(out, m, n, leading, keep);
  } else {
    const Operand left = operand(a, rounding);
    const Operand right = operand(b, rounding);
    // Column-major C is the row-major transpose of C: op(B)^T op(A)^T.
    const dnnl_status_t status =
        dnnl_sgemm(transpose_b ? 'T' : 'N', transpose_a ? 'T' : 'N', n, m, k, factor, right.data,
                   right.leading, left.data, left.leading, keep, out, leading);
    if (status != dnnl_success) fail("matrix product: oneDNN returned %d", static_cast<int>(status));
  }
  if (!in_place) store(result.copy, c);
  ++runtime().statistics.matrix_products;
}

}  // namespace warpfit::emulation
